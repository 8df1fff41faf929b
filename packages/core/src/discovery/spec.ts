import type { Milliseconds } from '../units.ts';
import type { SignalName } from '../worker/spec.ts';

/** Transport protocols of ports. */
export type PortProtocol = 'tcp' | 'udp';

/** Who runs services. */
export type ServiceManager = 'systemd' | 'openrc' | 'init.d';

/** How a process is told from others. Patterns are sources that `compilePattern` accepts; paths are absolute. */
export type Strategy =
  /**
   * The process whose pid the file holds. `checkAge`: not one that began after the file was written, which can only have the pid by
   * chance; false where other strategies say who it is.
   */
  | { readonly kind: 'pid-file'; readonly path: string; readonly checkAge: boolean }
  /** The name of the process, of its program or what it calls itself (its first argument) is `name` or has `pattern` in it. */
  | {
      readonly kind: 'name';
      readonly name: string | null;
      readonly pattern: string | null;
      /** Arguments that it must have. */
      readonly args: readonly string[];
    }
  /** Its arguments, joined by blanks, have this in them. */
  | { readonly kind: 'command-line'; readonly pattern: string }
  /** It listens there. `address` null: on whichever. */
  | {
      readonly kind: 'port';
      readonly protocol: PortProtocol;
      readonly port: number;
      readonly address: string | null;
    }
  /** It is a child of such a process. */
  | { readonly kind: 'parent'; readonly parent: Strategy }
  /** It began with this variable; `value` and `pattern` null: whatever it holds. */
  | {
      readonly kind: 'environment';
      readonly name: string;
      readonly value: string | null;
      readonly pattern: string | null;
    }
  /** It works in this directory; `below`: or in one below it. */
  | { readonly kind: 'directory'; readonly path: string; readonly below: boolean }
  /** It runs as this user, by name or number. */
  | { readonly kind: 'user'; readonly user: string }
  /** It has this file or unix socket open. */
  | { readonly kind: 'open-file'; readonly path: string }
  /** It is this program. */
  | { readonly kind: 'executable'; readonly path: string }
  /** It is the main process of a service. `manager` null: of the one that knows it. */
  | { readonly kind: 'service'; readonly manager: ServiceManager | null; readonly name: string }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Strategy[] };

export type StrategyKind = Strategy['kind'];

/** What a process must pass, once found, before it is attached. */
export type DiscoveryCheck =
  /** TCP: a connection is accepted. Where it can be seen who listens it must be the process or a descendant. */
  | {
      readonly type: 'port-check';
      readonly protocol: PortProtocol;
      readonly host: string;
      readonly port: number;
    }
  | { readonly type: 'file-exists'; readonly path: string }
  /** Answers with a status from 200 to 299. */
  | { readonly type: 'http-health'; readonly url: string }
  | { readonly type: 'executable'; readonly path: string };

/** How the process of an unmanaged unit is found. */
export interface DiscoverySpec {
  readonly strategy: Strategy;
  /** Processes of which any of these is true are not meant. */
  readonly exclude: readonly Strategy[];
  /** Which of several is meant that do not descend from each other; `only`: there must not be several. */
  readonly choose: 'only' | 'oldest' | 'newest';
  readonly validation: readonly DiscoveryCheck[];
  /** How long one validation may take. */
  readonly timeout: Milliseconds;
  /** Between looks while there is none. */
  readonly interval: Milliseconds;
}

/** What may be done to a process that somebody else started. */
export interface UnmanagedControl {
  readonly terminate: boolean;
  readonly restart: boolean;
  /** It may be brought to a group of the system, by which its limits are enforced. */
  readonly move: boolean;
  /** Signals that may be sent; that of `stop` among them where `terminate` allows to end it by signal. */
  readonly signals: readonly SignalName[];
  /** Who ends and restarts it, where it is a service. */
  readonly service: { readonly manager: ServiceManager; readonly name: string } | null;
  /** Programs that do, before a service. */
  readonly commands: {
    readonly stop: readonly [string, ...string[]] | null;
    readonly restart: readonly [string, ...string[]] | null;
  };
}

/** A unit whose process somebody else starts. */
export interface UnmanagedSpec {
  readonly discovery: DiscoverySpec;
  readonly control: UnmanagedControl;
  /** Absolute paths of files that it writes; their lines are taken for its output. */
  readonly logFiles: readonly string[];
}
