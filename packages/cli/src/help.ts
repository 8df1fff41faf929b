import { program } from './program.ts';
import type { Out, Surroundings } from './surroundings.ts';

/** The help of each command, for the generated documentation. */
export function commandHelp(): readonly { readonly name: string; readonly text: string }[] {
  const out: Out = {
    write: () => Promise.resolve(),
    isTTY: false,
    colour: false,
    columns: () => 110,
    gone: new AbortController().signal,
  };
  const to: Surroundings = {
    out,
    err: out,
    locate: () => Promise.reject(new Error('help asks nobody')),
    version: '',
    now: () => 0,
    interrupted: () => out.gone,
  };
  return program(to, () => {}).commands.map((command) => {
    const parts: string[] = [];
    // Examples are added when help is written, not when it is asked for.
    command
      .configureOutput({ writeOut: (text) => parts.push(text), getOutHelpWidth: () => 110 })
      .outputHelp();
    return { name: command.name(), text: parts.join('') };
  });
}
