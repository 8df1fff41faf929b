import type { Place } from '@hsu-master/api/client';

/** How a master is named on the command line; null: not at all. */
export interface Wanted {
  readonly socket: string | null;
  readonly configFile: string | null;
  readonly stateDirectory: string | null;
  /** `https://host:port` of one that is asked over the network. */
  readonly address: string | null;
  /** The file that its token is in. */
  readonly tokenFile: string | null;
  /** The file with the authority that has signed its certificate. */
  readonly ca: string | null;
}

/** Where a command writes to. */
export interface Out {
  /** Resolves when there is room for more. */
  write(text: string | Uint8Array): Promise<void>;
  readonly isTTY: boolean;
  /** A terminal whose cursor can be moved. */
  readonly cursor: boolean;
  /** Infinity where nobody knows: nothing is cut then. */
  columns(): number;
  /** Lines that are seen at once; Infinity where nobody knows. */
  rows(): number;
  readonly colour: boolean;
  /** Aborted when nobody reads any more. */
  readonly gone: AbortSignal;
}

/** A keyboard. */
export interface Keys {
  /** Hears each key as what it sends, and every change of the window's size as an empty text; the returned function ends that. */
  listen(listener: (key: string) => void): () => void;
}

/** Standard input. */
export interface Input {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Nobody waits for it any more. */
  close(): void;
}

/** All that a command may touch. */
export interface Surroundings {
  readonly out: Out;
  readonly err: Out;
  /** What is typed, or comes through a pipe; it is read when it is asked for, once. */
  input(): Input;
  /** null: nobody sits in front of it. */
  readonly keys: Keys | null;
  /** Finds where the master listens that is meant; rejects with a `CliError` where there is none or more than one. */
  locate(wanted: Wanted): Promise<Place>;
  readonly version: string;
  /** Milliseconds since 1970. */
  now(): number;
  /** Aborted when the user interrupts; asked for only by commands without an end of their own. */
  interrupted(): AbortSignal;
}
