import type { Addon, AddonPump } from './addon.ts';
import * as check from './check.ts';
import { errnoName, nameError } from './failure.ts';
import { decodeCounts, decodePumpEvents } from './pump-events.ts';

/** One output stream of one run; unique within a pump, never reused. */
export type NativeChannel = number;

/**
 * What happens while the disk does not keep up: `block` lets the worker wait for a slow one and drops what comes while it fails;
 * `drop-oldest` keeps the newest bytes of an outage, as many as half the channel holds; `drop-newest` drops what comes.
 */
export type NativeOverflow = 'block' | 'drop-oldest' | 'drop-newest';

/**
 * `plain`: byte for byte. The others are made line by line, and begin with `prefix` where they are no JSON; native/shared/hsu/pump/format.h
 * shows them.
 */
export type NativeFormat = 'plain' | 'prefixed' | 'enhanced_plain' | 'json' | 'structured_json';

/** What formatted lines say of where they come from. */
export interface NativeLabels {
  readonly worker: string;
  readonly run: number;
  readonly stream: 'stdout' | 'stderr';
  readonly prefix: string;
}

export interface NativeChannelOptions {
  /** Path of the FIFO: made with mode 0600, or taken as it is found there. */
  readonly fifo: string;
  /** The log file, appended to. Channels of one path share it. `null`: the bytes are counted and tapped, and go nowhere. */
  readonly file: string | null;
  /** Bytes; rotated before it would grow past this, 0: never. */
  readonly maxSize: number;
  /** Rotated files kept: `file.1` is the newest. */
  readonly maxFiles: number;
  /** Rotated when a new stretch of this many seconds of local time begins, 86400: at midnight; 0: not by time. */
  readonly rotateEvery: number;
  readonly overflow: NativeOverflow;
  /** Channels of one file have one format. Lines that wait to be formatted are in `fifo`.spool, at most 4 MiB. */
  readonly format: NativeFormat;
  readonly labels: NativeLabels;
}

/** What a channel has carried so far. */
export interface NativeChannelCounts {
  readonly bytes: number;
  readonly lines: number;
  readonly droppedBytes: number;
  readonly droppedLines: number;
  /** Bytes that its tap has missed. */
  readonly untappedBytes: number;
}

export type NativePumpEvent =
  /** Nobody holds it any more and all is taken, or all that was there when it was let go. */
  | { readonly type: 'channel-end'; readonly channel: NativeChannel; readonly counts: NativeChannelCounts }
  | {
      readonly type: 'tapped';
      readonly channel: NativeChannel;
      readonly data: Buffer;
      /** Bytes missed since the channel was opened. */
      readonly missed: number;
    }
  /** Of the files of these the channel is the one that was written last. */
  | { readonly type: 'rotated'; readonly channel: NativeChannel; readonly file: string }
  | {
      readonly type: 'unrotatable';
      readonly channel: NativeChannel;
      readonly file: string;
      readonly code: string;
      readonly call: string;
      readonly size: number;
    }
  | {
      readonly type: 'outage';
      readonly channel: NativeChannel;
      readonly file: string;
      readonly code: string;
      readonly call: string;
    }
  | {
      readonly type: 'resumed';
      readonly channel: NativeChannel;
      readonly file: string;
      readonly bytes: number;
      readonly lines: number;
    }
  /** Its file system has no splice: a kill of this process may lose or double one batch of 64 KiB. */
  | { readonly type: 'copying'; readonly channel: NativeChannel; readonly file: string }
  /** The system refused a larger buffer (`/proc/sys/fs/pipe-user-pages-soft`); told once. */
  | { readonly type: 'channel-small'; readonly channel: NativeChannel; readonly capacity: number }
  /** `made` is in the place of the rotated file, or, with a code, was removed. */
  | { readonly type: 'replaced'; readonly made: string; readonly code: string | null }
  | { readonly type: 'pump-closed' };

/** After `close()` every method but `close` throws `ERR_CLOSED`. */
export interface NativePump {
  /**
   * Opens a channel for reading; a process that is then given its FIFO for reading and writing never gets SIGPIPE, not even when
   * this process is gone. One that is found there, of an earlier process, is read from `carryOn` on, and ends at once where
   * nobody holds it. Throws `Error` with `errno`, `code` and `syscall`.
   */
  open(options: NativeChannelOptions): NativeChannel;
  /** Reads the channels that were found, all of them together: what a file may be cut to is known from all that write to it. */
  carryOn(): void;
  /** Nobody will write to it: ends it and removes the FIFO. */
  discard(channel: NativeChannel): void;
  /** Ends it once what it holds now is taken. What is written later is carried as before, without further news. */
  letGo(channel: NativeChannel): void;
  /** Its counts and its tail are not asked for any more. */
  forget(channel: NativeChannel): void;
  counts(channel: NativeChannel): NativeChannelCounts | null;
  /** The last bytes that it carried, at most 4 KiB. */
  tail(channel: NativeChannel): Buffer;
  /**
   * Delivers what it carries from now on. While too much of that is not acknowledged, `lose` misses bytes and counts them, `wait`
   * stops reading: the worker waits.
   */
  tap(channel: NativeChannel, how: 'none' | 'lose' | 'wait'): void;
  /** So many bytes of `tapped` have been consumed. */
  acknowledge(bytes: number): void;
  /** Puts the compressed copy `made` in the place of the rotated file `device`, `inode`, whatever its number is by then. */
  replaceRotated(file: string, device: number, inode: number, made: string, suffix: '.gz' | '.zst'): void;
  /** Takes what the channels hold now and closes the files, then tells `pump-closed`. A FIFO that somebody holds is left in place. */
  stop(): void;
  /** Tells nothing any more, and lets the event loop end; without `stop()` before, what channels hold stays there. */
  close(): void;
}

export interface NativePumpOptions {
  /** Called with one batch at a time. What it throws is an uncaught exception. */
  onEvents(events: NativePumpEvent[]): void;
  readonly maxTappedBytes: number;
}

const overflows = ['block', 'drop-oldest', 'drop-newest'] as const;
const formats = ['plain', 'prefixed', 'enhanced_plain', 'json', 'structured_json'] as const;
const taps = ['none', 'lose', 'wait'] as const;
const most = Number.MAX_SAFE_INTEGER;
/** Of a file: 64 bits on Windows, rounded by Node. */
const largestId = 2 ** 64;

function checkChannel(given: NativeChannelOptions) {
  if (typeof given !== 'object' || given === null) throw new TypeError('channel options must be an object');
  const fifo = check.text(given.fifo, 'fifo');
  if (fifo === '') throw new TypeError('fifo must not be empty');
  return {
    fifo,
    file: given.file === null ? '' : check.text(given.file, 'file'),
    maxSize: check.integer(given.maxSize, 'maxSize', 0, most),
    maxFiles: check.integer(given.maxFiles, 'maxFiles', 0, 1_000_000),
    rotateEvery: check.integer(given.rotateEvery, 'rotateEvery', 0, 0xffff_ffff),
    overflow: check.oneOf(given.overflow, 'overflow', overflows),
    format: check.oneOf(given.format, 'format', formats),
    worker: check.text(given.labels.worker, 'worker'),
    run: check.integer(given.labels.run, 'run', 0, most),
    stream: check.text(given.labels.stream, 'stream'),
    prefix: check.text(given.labels.prefix, 'prefix'),
  };
}

/** Its options as the addon receives them; the empty path stands for no file. */
export type CheckedChannel = ReturnType<typeof checkChannel>;

/** Throws `Error` with `errno`, `code` and `syscall` where its thread cannot be made. */
export function openPump(addon: Addon, options: NativePumpOptions): NativePump {
  const { onEvents, maxTappedBytes } = options;
  if (typeof onEvents !== 'function') throw new TypeError('onEvents must be a function');
  check.integer(maxTappedBytes, 'maxTappedBytes', 1, most);
  let pump: AddonPump | null = begin();
  const opened = (): AddonPump => {
    if (pump === null) throw Object.assign(new Error('the pump is closed'), { code: 'ERR_CLOSED' });
    return pump;
  };

  function begin(): AddonPump {
    try {
      return new addon.Pump({
        maxTappedBytes,
        onEvents: (numbers, buffers) => onEvents(decodePumpEvents(numbers, buffers)),
      });
    } catch (error) {
      throw nameError(error);
    }
  }

  return {
    open(given) {
      const result = opened().open(checkChannel(given));
      if (typeof result === 'number') return result;
      const [syscall, errno] = result;
      const code = errnoName(errno);
      const message = `${code}: ${syscall} ${given.fifo}`;
      throw Object.assign(new Error(message), { errno, code, syscall, path: given.fifo });
    },
    carryOn: () => opened().carryOn(),
    discard: (channel) => opened().discard(check.handle(channel)),
    letGo: (channel) => opened().letGo(check.handle(channel)),
    forget: (channel) => opened().forget(check.handle(channel)),
    counts(channel) {
      const numbers = opened().counts(check.handle(channel));
      return numbers === null ? null : decodeCounts(numbers);
    },
    tail: (channel) => opened().tail(check.handle(channel)),
    tap: (channel, how) => opened().tap(check.handle(channel), check.oneOf(how, 'how', taps)),
    acknowledge: (bytes) => opened().acknowledge(check.integer(bytes, 'bytes', 0, most)),
    replaceRotated(file, device, inode, made, suffix) {
      opened().replaceRotated(
        check.text(file, 'file'),
        check.integer(device, 'device', 0, largestId),
        check.integer(inode, 'inode', 0, largestId),
        check.text(made, 'made'),
        check.text(suffix, 'suffix'),
      );
    },
    stop: () => opened().stop(),
    close() {
      pump?.close();
      pump = null;
    },
  };
}
