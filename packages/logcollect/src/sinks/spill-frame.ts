import type { Bytes } from '@hsu-master/core';
import type { LogRecord } from '../record.ts';
import { crc32 } from './checksum.ts';

/**
 * A frame holds some records: magic, length of the payload, how many records, checksum of the payload, checksum of these four
 * (each 32 bits, little-endian), then the payload as JSON. The count has a checksum of its own, so that what a damaged payload held
 * is known and the frames behind it are found.
 */
const MAGIC = 0x31_55_53_48;
export const HEADER_BYTES: Bytes = 20;
/** A length beyond this is damage. */
const PAYLOAD_LIMIT: Bytes = 64 * 1024 * 1024;

export interface FrameHeader {
  /** Of the payload. */
  readonly length: Bytes;
  readonly count: number;
  readonly checksum: number;
}

export function encodeFrame(records: readonly LogRecord[]): Buffer {
  const payload = Buffer.from(JSON.stringify(records.map(rowOf)));
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUInt32LE(MAGIC, 0);
  frame.writeUInt32LE(payload.length, 4);
  frame.writeUInt32LE(records.length, 8);
  frame.writeUInt32LE(crc32(payload), 12);
  frame.writeUInt32LE(crc32(frame.subarray(0, 16)), 16);
  payload.copy(frame, HEADER_BYTES);
  return frame;
}

/** null: these bytes are no header. */
export function decodeHeader(bytes: Uint8Array): FrameHeader | null {
  if (bytes.length < HEADER_BYTES) return null;
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  if (header.readUInt32LE(0) !== MAGIC || header.readUInt32LE(16) !== crc32(header.subarray(0, 16)))
    return null;
  const length = header.readUInt32LE(4);
  if (length > PAYLOAD_LIMIT) return null;
  return { length, count: header.readUInt32LE(8), checksum: header.readUInt32LE(12) };
}

/** null: the payload is damaged. */
export function decodePayload(header: FrameHeader, payload: Uint8Array): LogRecord[] | null {
  if (payload.length !== header.length || crc32(payload) !== header.checksum) return null;
  try {
    const rows = JSON.parse(Buffer.from(payload).toString()) as Row[];
    return rows.length === header.count ? rows.map(recordOf) : null;
  } catch {
    return null;
  }
}

/** A record without its keys. The message is 0 where it is the text. */
type Row = [
  LogRecord['workerId'],
  number,
  0 | 1,
  number,
  number,
  string,
  LogRecord['piece'] | 0,
  0 | 1,
  LogRecord['level'],
  LogRecord['time'],
  string | 0,
  LogRecord['fields'] | 0,
];

function rowOf(record: LogRecord): Row {
  return [
    record.workerId,
    record.run,
    record.stream === 'stdout' ? 0 : 1,
    record.at,
    record.seq,
    record.text,
    record.piece === 'whole' ? 0 : record.piece,
    record.damaged ? 1 : 0,
    record.level,
    record.time,
    record.message === record.text ? 0 : record.message,
    hasNone(record.fields) ? 0 : record.fields,
  ];
}

function recordOf(row: Row): LogRecord {
  const [workerId, run, stream, at, seq, text, piece, damaged, level, time, message, fields] = row;
  return {
    workerId,
    run,
    stream: stream === 0 ? 'stdout' : 'stderr',
    at,
    seq,
    text,
    damaged: damaged === 1,
    piece: piece === 0 ? 'whole' : piece,
    level,
    time,
    message: message === 0 ? text : message,
    fields: fields === 0 ? {} : fields,
  };
}

function hasNone(fields: LogRecord['fields']): boolean {
  for (const _key in fields) return false;
  return true;
}
