import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import type { EventDraft } from '@hsu-master/core';
import type { NativePumpEvent } from '@hsu-master/native';

/** `ENOSPC: no space left on device`. */
function described(code: string): string {
  for (const [name, message] of getSystemErrorMap().values()) if (name === code) return `${code}: ${message}`;
  return code;
}

/** What the world is told of an event of a file; null: nothing. `closing`: the files are being closed. */
export function newsOf(event: NativePumpEvent, closing: boolean): EventDraft | null {
  switch (event.type) {
    case 'rotated':
      return { type: 'log.rotated', payload: { file: event.file } };
    case 'outage':
      return dropped(0, `cannot write ${event.file}: ${whyOut(event)}`);
    case 'resumed':
      return dropped(event.bytes, closing ? 'the log is closed' : `${event.file} is written again`);
    case 'unrotatable': {
      const { file, size, code } = event;
      return dropped(0, `cannot rotate ${file}, which grows past ${size} bytes: ${described(code)}`);
    }
    case 'copying':
      return dropped(0, `${event.file} takes no splice: a kill of the master may lose or double 64 KiB`);
    case 'channel-small': {
      const why = 'this user has more pipes than fs.pipe-user-pages-soft allows at full size';
      return dropped(
        0,
        `output waits in ${event.capacity} bytes instead of 1 MiB, then the worker waits: ${why}`,
      );
    }
    default:
      return null;
  }
}

function whyOut({ file, call, code }: NativePumpEvent & { type: 'outage' }): string {
  if (call !== 'mkdir' || code !== 'ENOENT') return described(code);
  let above = dirname(file);
  while (!existsSync(above)) above = dirname(above);
  return `ENOENT: the file system of ${above} takes no new directories`;
}

function dropped(bytes: number, reason: string): EventDraft {
  return { type: 'log.dropped', payload: { bytes, reason } };
}
