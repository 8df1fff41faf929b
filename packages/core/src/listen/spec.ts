import type { Command } from '../worker/spec.ts';

/** Both belong to it. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** How a worker gets the TCP port on which it listens. */
export interface ListenSpec {
  /** Where the port is chosen from; null: any that the system has free. */
  readonly range: PortRange | null;
  /** What stands before the port at the end of the arguments, `--port`; null: the arguments stay. The environment has it as PORT always. */
  readonly argument: string | null;
  /** reserve: the port is held until the program binds it by itself. socket: the program is given a socket that listens (LISTEN_FDS). */
  readonly handOver: 'reserve' | 'socket';
  /** It answers on that port as a unit does: Ping, health, control. */
  readonly isUnit: boolean;
}

/** Where a socket that is handed over listens. */
export const HANDED_OVER = '127.0.0.1';

/** The command with the port that its worker was given. */
export function withPort(command: Command, { argument }: ListenSpec, port: number): Command {
  const argv = argument === null ? command.argv : ([...command.argv, argument, String(port)] as const);
  const [program, ...args] = argv;
  return { ...command, argv: [program, ...args], env: { ...command.env, PORT: String(port) } };
}
