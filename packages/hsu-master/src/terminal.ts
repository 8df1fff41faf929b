import { type HsuEvent, hasReadiness, type Milliseconds } from '@hsu-master/core';
import { eventLine, terminalOutput, terminalView } from '@hsu-master/logcollect';
import { realClock } from '@hsu-master/workers';
import type { Master } from './create-master.ts';
import { Notes } from './notes.ts';
import { wantsColour } from './terminal-colour.ts';
import { isLost } from './unwritten.ts';

/** How long the line about an exit waits for the end of stderr, which a descendant may hold open. */
const LAST_WORDS: Milliseconds = 100;

const CANNOT_SHOW = 'standard output cannot be written; the workers run on, and so do their log files';

type Environment = Readonly<Record<string, string | undefined>>;

/** What a person in front of `run` sees: the workers’ lines, each behind its name, and the master’s own, in order. */
export interface Terminal {
  begin(master: Master): void;
  note(text: string): void;
  /** Resolves when all is written that was held back. */
  end(): Promise<void>;
}

/** Opens the view on standard output. It never waits for its reader, and a reader that goes away ends only the view. */
export function openTerminal(out: NodeJS.WriteStream & { readonly fd: 1 }, env: Environment): Terminal {
  const early: string[] = [];
  let view: ReturnType<typeof terminalView> | null = null;
  const notes = new Notes((line) => view?.note(line));
  const output = terminalOutput({
    fd: out.fd,
    clock: realClock(),
    drained: () => view?.drained(),
    gone(code) {
      view?.end();
      if (isLost(code, code)) process.stderr.write(`hsu-master: ${CANNOT_SHOW} (${code})\n`);
    },
  });
  return {
    begin(master) {
      const { workers } = master.config;
      const shown = terminalView({
        write: (text) => output.write(text),
        colour: wantsColour(out, env),
        columns: () => out.columns ?? 0,
        prefixWidth: workers.reduce((width, worker) => Math.max(width, worker.id.length), 0),
        fileOf: (id) => master.spec(id)?.log.stdoutFile ?? null,
      });
      view = shown;
      for (const note of early) shown.note(note);
      shown.note(`logs are in ${master.places.logDirectory}`);
      if (master.lacksAddon !== null) {
        shown.note(`without the native addon: ${master.lacksAddon}`);
        for (const { feature, status, reason } of master.capabilities()) {
          if (status === 'impossible') shown.note(`  ${feature} is not available: ${reason}`);
        }
      }
      master.listen(shown);
      master.events.subscribe((event) => {
        const spec = event.type === 'worker.ready' ? master.spec(event.workerId ?? '') : null;
        if (spec !== null && !hasReadiness(spec)) return;
        notes.add(lineOf(event, master));
      });
    },
    note(text) {
      if (view === null) early.push(text);
      else notes.add(text);
    },
    async end() {
      await notes.shown();
      await output.close();
    },
  };
}

/** The end of a process is often known before its last words are read. */
function lineOf(event: HsuEvent, master: Master): string | null | Promise<string | null> {
  const { workerId, run } = event;
  const crashed = event.type === 'worker.exited' && !event.payload.asked && !event.payload.success;
  if (!crashed || workerId === null || run === null) return eventLine(event);
  return master.lastWords(workerId, run, LAST_WORDS).then((words) => eventLine(event, words));
}
