import type { Milliseconds } from '../units.ts';
import type { ProcessIdentity } from '../worker/exit.ts';
import type { DiscoverySpec, Strategy } from './spec.ts';

/** A process in a few words: what it is, and how it calls itself. */
export interface FoundProcess extends ProcessIdentity {
  readonly title: string;
  /** How long it has been there; 0 where that is not known. */
  readonly age: Milliseconds;
}

/** What one look for a process came to. */
export type Finding =
  | { readonly kind: 'found'; readonly process: FoundProcess }
  /** `reason` says what was looked for and, where something could not be seen, that. */
  | { readonly kind: 'none'; readonly reason: string }
  | { readonly kind: 'ambiguous'; readonly processes: readonly FoundProcess[]; readonly reason: string }
  /** It was found, but is not what it should be. */
  | { readonly kind: 'invalid'; readonly process: FoundProcess; readonly reason: string };

/** Looks for processes that somebody else started. */
export interface ProcessFinder {
  /** `isTaken`: processes that are never meant, because they are this master’s own. Never rejects. */
  find(discovery: DiscoverySpec, isTaken: (process: ProcessIdentity) => boolean): Promise<Finding>;
  close(): void;
}

/** A strategy in words: what is looked for. */
export function describeStrategy(strategy: Strategy): string {
  switch (strategy.kind) {
    case 'pid-file':
      return `pid file ${strategy.path}`;
    case 'name': {
      const args = strategy.args.length === 0 ? '' : ` with ${strategy.args.join(' ')}`;
      return strategy.name === null ? `name ~ ${strategy.pattern}${args}` : `name ${strategy.name}${args}`;
    }
    case 'command-line':
      return `command line ~ ${strategy.pattern}`;
    case 'port':
      return `listens on ${strategy.protocol} ${strategy.address === null ? '' : `${strategy.address} `}port ${strategy.port}`;
    case 'parent':
      return `child of (${describeStrategy(strategy.parent)})`;
    case 'environment': {
      const { name, value, pattern } = strategy;
      return `environment ${name}${value === null ? '' : `=${value}`}${pattern === null ? '' : ` ~ ${pattern}`}`;
    }
    case 'directory':
      return `working directory ${strategy.path}${strategy.below ? ' or below' : ''}`;
    case 'user':
      return `user ${strategy.user}`;
    case 'open-file':
      return `has ${strategy.path} open`;
    case 'executable':
      return `program ${strategy.path}`;
    case 'service':
      return `service ${strategy.name}${strategy.manager === null ? '' : ` of ${strategy.manager}`}`;
    default:
      return strategy.of.map(describeStrategy).join(strategy.kind === 'all' ? ' and ' : ' or ');
  }
}
