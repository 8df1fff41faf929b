import type { WriteStream } from 'node:tty';
import { eventLine, terminalView } from '@hsu-master/logcollect';
import type { Master } from './create-master.ts';
import type { OutputTap } from './wire.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether a stream gets colours: NO_COLOR forbids, FORCE_COLOR and CLICOLOR_FORCE ask, else a terminal that is not dumb. */
export function wantsColour(stream: NodeJS.WriteStream, env: Environment): boolean {
  if (env['NO_COLOR']) return false;
  if (env['FORCE_COLOR'] !== undefined) return env['FORCE_COLOR'] !== '0';
  if (env['CLICOLOR_FORCE'] !== undefined && env['CLICOLOR_FORCE'] !== '0') return true;
  return (stream as WriteStream).isTTY === true && env['TERM'] !== 'dumb' && env['CLICOLOR'] !== '0';
}

/** What a person in front of `run` sees: the workers’ lines on stdout, the master’s own on stderr. */
export interface Terminal {
  readonly tap: OutputTap;
  begin(master: Master): void;
  note(text: string): void;
  /** Resolves when all is written that was held back. */
  end(): Promise<void>;
}

export function openTerminal(out: NodeJS.WriteStream, err: NodeJS.WriteStream, env: Environment): Terminal {
  const view = terminalView({
    write: (text, written) => out.write(text, written),
    colour: wantsColour(out, env),
  });
  const tell = (text: string): void => {
    err.write(`${text}\n`);
  };
  return {
    tap: (workerId, stream, chunk) => view.write(workerId, stream, chunk),
    begin(master) {
      view.label(master.config.workers.map((worker) => worker.id));
      tell(`logs are in ${master.places.logDirectory}`);
      for (const { id, reason } of master.config.notRun) tell(`${id}: not run: ${reason}`);
      for (const lost of master.capabilities().filter((capability) => capability.status === 'impossible')) {
        tell(`${lost.feature}: not available here: ${lost.reason}`);
      }
      master.events.subscribe((event) => {
        const line = eventLine(event);
        if (line !== null) tell(line);
      });
    },
    note: tell,
    end: () => view.end(),
  };
}
