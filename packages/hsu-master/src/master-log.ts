import { writeSync } from 'node:fs';
import { eventLine } from '@hsu-master/logcollect';
import type { Terminal } from './terminal.ts';

const STDOUT = 1;

/** What a master in the background says of itself, each line with its time; what workers write is in their own files. */
export function openMasterLog(): Terminal {
  const note = (text: string): void => {
    try {
      writeSync(STDOUT, `${new Date().toISOString()} ${text}\n`);
    } catch {
      // A full disk is no reason to leave the workers alone.
    }
  };
  return {
    begin(master) {
      note(`master ${process.pid} of ${master.config.file}; logs are in ${master.places.logDirectory}`);
      if (master.lacksAddon !== null) note(`without the native addon: ${master.lacksAddon}`);
      master.events.subscribe((event) => {
        const line = eventLine(event);
        if (line !== null) note(line);
      });
    },
    note,
    end: () => Promise.resolve(),
  };
}
