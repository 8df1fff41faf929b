import { resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Bytes, LogAlertRule, Milliseconds, OutputStream, WorkerId, WorkerSpec } from '@hsu-master/core';
import type { AlertConfig, BufferingConfig, Config, TargetConfig } from './config.ts';
import type { Findings } from './findings.ts';
import { freeze } from './freeze.ts';
import type { Path } from './issue.ts';
import type { WrittenTarget } from './schema/targets.ts';
import { atHome, type Place } from './surroundings.ts';

/** One target, for whoever writes it. The same target written at several workers is one. */
export interface LogTarget {
  /** Unique, and the same as long as the target stays the same. No secrets in it. */
  readonly name: string;
  /** Whose lines go there. */
  readonly sources: readonly LogSource[];
  /** As it was written, with absolute paths and its variables replaced: it has secrets in it. */
  readonly written: Readonly<Record<string, unknown>>;
}

export interface LogSource {
  /** null: all. */
  readonly workers: readonly WorkerId[] | null;
  readonly streams: readonly OutputStream[];
}

/** What concerns the lines of all workers. */
export interface LogsConfig {
  readonly targets: readonly LogTarget[];
  readonly alerts: readonly LogAlertRule[];
  readonly keeping: LogKeeping;
}

/** What is kept of output beside what each worker says of its own files. */
export interface LogKeeping {
  /** Where the files of workers are that are gone. */
  readonly directory: string;
  /** Files there that were last written longer ago are removed; null: at any age. */
  readonly goneAfter: Milliseconds | null;
  /** All files of output together; null: without bound. */
  readonly maxTotal: Bytes | null;
}

/** Says what is wrong with a target, each with the path from the target on: `config.batch_size`. */
export type CheckTarget = (
  written: LogTarget['written'],
) => readonly { readonly path: string; readonly message: string }[];

/** Brings all targets together: those of all workers, and those of each. */
export function toLogs(
  config: Config,
  specs: readonly WorkerSpec[],
  { place, check }: { readonly place: Place; readonly check: CheckTarget },
  findings: Findings,
): LogsConfig {
  const { aggregation, keeping: written } = config;
  const { maxTotal, maxAge: goneAfter } = written;
  const keeping = { directory: place.workerLogDirectory, goneAfter, maxTotal };
  if (aggregation === null) return freeze({ targets: [], alerts: [], keeping });
  const gathered = new Gathered(specs, check, findings);
  for (const target of aggregation.targets)
    gathered.add(target, { worker: null, directory: place.logDirectory, ...aggregation }, place);
  for (const { id, log } of config.units) {
    const { stdout, stderr, forwarding } = log.targets;
    for (const target of [...stdout, ...stderr, ...forwarding]) {
      const captured = target.streams.filter((stream) =>
        stream === 'stdout' ? log.captureStdout : log.captureStderr,
      );
      if (captured.length > 0)
        gathered.add(
          { ...target, streams: captured },
          { worker: id, directory: place.workerLogDirectory, buffering: log.buffering },
          place,
        );
    }
  }
  return freeze({ targets: gathered.targets(), alerts: alertsOf(config, place, findings), keeping });
}

/** Whose target it is. */
interface Whose {
  readonly worker: WorkerId | null;
  /** Where relative paths begin. */
  readonly directory: string;
  readonly buffering: BufferingConfig;
}

interface Gathering {
  readonly at: Path;
  readonly written: LogTarget['written'];
  readonly sources: { readonly workers: WorkerId[] | null; readonly streams: readonly OutputStream[] }[];
}

class Gathered {
  readonly #check: CheckTarget;
  readonly #findings: Findings;
  readonly #byText = new Map<string, Gathering>();
  /** Who writes which file. */
  readonly #files = new Map<string, string>();

  constructor(specs: readonly WorkerSpec[], check: CheckTarget, findings: Findings) {
    this.#check = check;
    this.#findings = findings;
    for (const { id, log } of specs) {
      this.#files.set(log.stdoutFile, `the output of "${id}"`);
      this.#files.set(log.stderrFile, `the output of "${id}"`);
    }
  }

  /** Of targets that differ in their buffers only, the first one’s count. */
  add(target: TargetConfig, { worker, directory, buffering }: Whose, place: Place): void {
    const written = resolved(target.written, worker, directory, place);
    const text = JSON.stringify(written);
    let gathering = this.#byText.get(text);
    if (gathering === undefined) {
      gathering = { at: target.at, written: buffered(written, buffering), sources: [] };
      this.#byText.set(text, gathering);
      this.#checkNew(gathering);
    }
    const same = gathering.sources.find(
      ({ workers, streams }) =>
        (workers === null) === (worker === null) && streams.join() === target.streams.join(),
    );
    if (same === undefined)
      gathering.sources.push({ workers: worker === null ? null : [worker], streams: target.streams });
    else if (worker !== null && same.workers?.at(-1) !== worker) same.workers?.push(worker);
  }

  targets(): readonly LogTarget[] {
    const taken = new Set<string>();
    return [...this.#byText.values()].map(({ written, sources }) => {
      const usual = nameOf(written);
      let name = usual;
      for (let more = 2; taken.has(name); more += 1) name = `${usual}-${more}`;
      taken.add(name);
      return { name, sources, written };
    });
  }

  #checkNew({ at, written }: Gathering): void {
    if (this.#findings.hasErrorBelow(at)) return;
    for (const { path, message } of this.#check(written))
      this.#findings.errorAt([...at, ...path.split('.')], { message });
    const { type, path } = written;
    if (type !== 'file' || typeof path !== 'string') return;
    const owner = this.#files.get(path);
    if (owner === undefined) this.#files.set(path, 'another target');
    else {
      this.#findings.errorAt([...at, 'path'], {
        message: `the file ${path} is written by ${owner} already`,
        hint: 'write another path, or the same target everywhere',
      });
    }
  }
}

function resolved(
  written: WrittenTarget,
  worker: WorkerId | null,
  directory: string,
  place: Place,
): LogTarget['written'] {
  const { type = 'file', path, rotation, ...rest } = written;
  const known = worker === null ? path : path?.replaceAll(/\{(?:worker|process)_id\}/g, worker);
  const isFile = type === 'file';
  const maxAge = rotation?.max_age;
  return {
    type,
    ...(known === undefined ? {} : { path: isFile ? resolve(directory, atHome(known, place)) : known }),
    ...(rotation === undefined
      ? {}
      : { rotation: maxAge === undefined ? rotation : { ...rotation, max_age: `${maxAge}ms` } }),
    ...rest,
  };
}

function buffered(written: LogTarget['written'], buffering: BufferingConfig): LogTarget['written'] {
  if (Object.keys(buffering).length === 0) return written;
  const { config } = written;
  if (typeof config !== 'object' && config !== undefined) return written;
  return { ...written, config: { ...buffering, ...config } };
}

/** What tells one target from another; changed settings, formats and credentials leave it the same. */
function nameOf(written: LogTarget['written']): string {
  const config = (written['config'] ?? {}) as Readonly<Record<string, unknown>>;
  const inTarget = ['type', 'path', 'endpoint', 'url', 'facility'].map((key) => written[key] ?? '');
  const inConfig = ['endpoint', 'url', 'address', 'protocol', 'index', 'tenant', 'app_name'].map(
    (key) => config[key] ?? '',
  );
  const text = [...inTarget, ...inConfig]
    .map((part) => withoutUser(typeof part === 'string' ? part : JSON.stringify(part)))
    .join('\n');
  const place = placeOfTarget(written);
  const mark = crc32(text).toString(16).padStart(8, '0');
  return `${String(written['type'])}${place === '' ? '' : `:${place}`}#${mark}`;
}

/** Where a target is, in short: a file’s path, a service’s host. */
export function placeOfTarget(written: LogTarget['written']): string {
  const config = (written['config'] ?? {}) as Readonly<Record<string, unknown>>;
  const found = [
    written['endpoint'],
    written['url'],
    written['path'],
    config['endpoint'],
    config['url'],
    config['address'],
  ];
  const address = found.find((each) => typeof each === 'string' && each !== '');
  if (typeof address !== 'string') return '';
  if (/^https?:/i.test(address) && URL.canParse(address)) return new URL(address).host;
  return withoutUser(address);
}

function withoutUser(address: string): string {
  return address.replace(/\/\/[^@/]*@/, '//');
}

function alertsOf(config: Config, place: Place, findings: Findings): readonly LogAlertRule[] {
  const byPlace = new Map<
    AlertConfig,
    { readonly at: Path; readonly rule: LogAlertRule; workers: WorkerId[] }
  >();
  const add = (alert: AlertConfig, workers: readonly WorkerId[]) => {
    const known = byPlace.get(alert);
    if (known === undefined) byPlace.set(alert, { ...alert, workers: [...workers] });
    else known.workers.push(...workers);
  };
  for (const alert of config.aggregation?.alerts ?? []) {
    const unknown = alert.rule.workers.find((id) => !config.units.some((unit) => unit.id === id));
    if (unknown !== undefined)
      findings.errorAt([...alert.at, 'workers'], {
        message: `there is no worker "${unknown}" that is run here`,
      });
    add(alert, alert.rule.workers);
  }
  for (const { id, log } of config.units) for (const alert of log.alerts) add(alert, [id]);
  const names = new Map<string, Path>();
  return [...byPlace.values()].map(({ at, rule, workers }) => {
    const earlier = names.get(rule.name);
    if (earlier !== undefined)
      findings.errorAt([...at, 'name'], {
        message: `the alert "${rule.name}" is there twice; first in line ${findings.line(earlier)}`,
        hint: 'give each its own name',
      });
    names.set(rule.name, at);
    const exec = rule.exec;
    const program =
      exec?.[0].includes('/') === true ? resolve(place.directory, atHome(exec[0], place)) : exec?.[0];
    return {
      ...rule,
      workers,
      exec: exec === null || program === undefined ? null : [program, ...exec.slice(1)],
    };
  });
}
