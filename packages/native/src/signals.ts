import { constants } from 'node:os';

const names = new Map<number, string>();
for (const [name, value] of Object.entries(constants.signals)) {
  // Aliases (SIGIOT, SIGPOLL) come after the name that everybody uses.
  if (!names.has(value)) names.set(value, name);
}

const firstRealTime = 34;

/** `'SIGTERM'`; real-time signals as the shell's `kill -l` has them, `'SIGRTMIN+3'`. */
export function signalName(signal: number): string {
  const name = names.get(signal);
  if (name !== undefined) return name;
  return signal >= firstRealTime ? `SIGRTMIN+${signal - firstRealTime}` : `SIG${signal}`;
}
