import type { NativeFormat, NativeOverflow } from '@hsu-master/native';
import type { Compression } from './compressor.ts';

/** What of a file is not in `LogSpec`. */
export interface FileSettings {
  readonly format: NativeFormat;
  /** Before each line, where the format is not JSON. */
  readonly prefix: string;
  readonly overflow: NativeOverflow;
  /** Seconds of local time; 86400 is at midnight, 0 never. */
  readonly rotateEvery: number;
  /** Of rotated files. */
  readonly compression: Compression;
}

/** Byte for byte, waiting for a slow disk. */
export const PLAIN: FileSettings = {
  format: 'plain',
  prefix: '',
  overflow: 'block',
  rotateEvery: 0,
  compression: 'none',
};
