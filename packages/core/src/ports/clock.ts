import type { Milliseconds, MonotonicTime, WallTime } from '../units.ts';

/** Time and chance, the only door through which they come in. */
export interface Clock {
  /** Monotonic, unmoved by clock steps and time zones; goes on from one master of a boot to the next. */
  now(): MonotonicTime;
  wallNow(): WallTime;
  /** Calls `fire` once after `delay`; the returned function cancels, and is harmless afterwards. */
  after(delay: Milliseconds, fire: () => void): () => void;
  /** Uniform in [0, 1). */
  random(): number;
}
