import { CHANGES } from './catalogue/changes.ts';
import { LOOKS } from './catalogue/looks.ts';
import { ORDERS } from './catalogue/orders.ts';
import type { Command } from './command.ts';

/** All commands that ask a master, in the order in which help names them. */
export const COMMANDS: readonly Command[] = [...LOOKS, ...ORDERS, ...CHANGES];

/** Their names, the other names of each behind it. */
export const ASKING_COMMANDS: readonly string[] = COMMANDS.flatMap(({ name, aliases = [] }) => [
  name,
  ...aliases,
]);

export function commandOf(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name || command.aliases?.includes(name));
}
