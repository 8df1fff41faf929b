import type { Milliseconds } from '@hsu-master/core';
import { eventLine, type TerminalOutput, terminalOutput } from '@hsu-master/logcollect';
import { realClock } from '@hsu-master/workers';
import type { Terminal } from './terminal.ts';

const STDOUT = 1;

/** After a failed write, as on a full disk, it is tried again. */
const RETRY: Milliseconds = 1000;

/**
 * What a master in the background says of itself, each line with its time; what workers write is in their own files. A reader that
 * does not keep up, as a journal may, or a full disk holds nobody: lines are left out then, and counted.
 */
export function openMasterLog(fd = STDOUT): Terminal {
  const clock = realClock();
  let isFull = false;
  let leftOut = 0;
  let cancelRetry = (): void => {};
  const say = (text: string): void => {
    isFull = !output.write(`${new Date().toISOString()} ${text}\n`);
  };
  const note = (text: string): void => {
    if (isFull) leftOut += 1;
    else say(text);
  };
  const goOn = (): void => {
    isFull = false;
    const count = leftOut;
    leftOut = 0;
    if (count > 0) say(`${count} lines were left out here: they could not be written in time`);
  };
  const open = (): TerminalOutput =>
    terminalOutput({
      fd,
      clock,
      drained: goOn,
      gone() {
        isFull = true;
        cancelRetry = clock.after(RETRY, () => {
          output = open();
          goOn();
        });
      },
    });
  let output = open();
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
    end() {
      cancelRetry();
      return output.close();
    },
  };
}
