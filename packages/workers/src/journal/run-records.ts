import { mkdirSync, readdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { LeftOver, ProcessIdentity, WorkerId } from '@hsu-master/core';

/** Version of the record’s form. A record of another version is left alone and counts as no record. */
const FORM = 1;

interface RunRecord {
  readonly form: typeof FORM;
  readonly bootId: string;
  readonly workerId: WorkerId;
  readonly run: number;
  readonly mark: string;
  readonly process: ProcessIdentity;
}

/**
 * One small file per living run: written before its program starts, removed after its tree is empty. Replaced by rename, so that
 * a reader sees a whole record or none; not synced, since a reboot voids it.
 */
export class RunRecords {
  readonly #directory: string;
  readonly #bootId: string;

  /** @throws where the directory cannot be made */
  constructor(directory: string, bootId: string) {
    this.#directory = directory;
    this.#bootId = bootId;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  write(workerId: WorkerId, run: number, mark: string, process: ProcessIdentity): void {
    const record: RunRecord = { form: FORM, bootId: this.#bootId, workerId, run, mark, process };
    const body = JSON.stringify(record);
    const file = this.#fileOf(workerId);
    writeFileSync(`${file}.new`, `${body}\n${crc32(body).toString(16)}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  remove(workerId: WorkerId): void {
    removeIfThere(this.#fileOf(workerId));
  }

  /** The whole and undamaged records of this boot. Others are removed: they name nobody. */
  read(): readonly LeftOver[] {
    const found: LeftOver[] = [];
    for (const name of readdirSync(this.#directory)) {
      const file = join(this.#directory, name);
      const record = name.endsWith('.run') ? parse(readFileSync(file, 'utf8')) : null;
      if (record !== null && record.bootId === this.#bootId) found.push(record);
      else removeIfThere(file);
    }
    return found;
  }

  #fileOf(workerId: WorkerId): string {
    return join(this.#directory, `${workerId}.run`);
  }
}

function removeIfThere(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function parse(text: string): RunRecord | null {
  const [body, sum] = text.split('\n');
  if (body === undefined || sum !== crc32(body).toString(16)) return null;
  const record = JSON.parse(body) as RunRecord;
  return record.form === FORM ? record : null;
}
