import { errnoName } from './failure.ts';
import type { NativeChannelCounts, NativePumpEvent } from './pump.ts';

/** Numbers of one event: type, subject and its fields; types and fields as native/shared/hsu/events.h has them. */
const width = 9;
const firstType = 8;

type Decode = (channel: number, fields: Float64Array, bytes: Buffer) => NativePumpEvent;

export function decodeCounts(numbers: Float64Array): NativeChannelCounts {
  const [bytes = 0, lines = 0, droppedBytes = 0, droppedLines = 0, untappedBytes = 0] = numbers;
  return { bytes, lines, droppedBytes, droppedLines, untappedBytes };
}

/** `call`, NUL, path. */
function callAndFile(bytes: Buffer): { readonly call: string; readonly file: string } {
  const [call = '', file = ''] = bytes.toString().split('\0');
  return { call, file };
}

const decoders: readonly Decode[] = [
  (channel, fields) => ({ type: 'channel-end', channel, counts: decodeCounts(fields) }),
  (channel, [missed = 0], data) => ({ type: 'tapped', channel, data, missed }),
  (channel, _, path) => ({ type: 'rotated', channel, file: path.toString() }),
  (channel, [errno = 0, size = 0], bytes) => ({
    type: 'unrotatable',
    channel,
    ...callAndFile(bytes),
    code: errnoName(errno),
    size,
  }),
  (channel, [errno = 0], bytes) => ({
    type: 'outage',
    channel,
    ...callAndFile(bytes),
    code: errnoName(errno),
  }),
  (channel, [bytes = 0, lines = 0], path) => ({
    type: 'resumed',
    channel,
    file: path.toString(),
    bytes,
    lines,
  }),
  (channel, _, path) => ({ type: 'copying', channel, file: path.toString() }),
  (channel, [capacity = 0]) => ({ type: 'channel-small', channel, capacity }),
  (_, [errno = 0], path) => ({
    type: 'replaced',
    made: path.toString(),
    code: errno === 0 ? null : errnoName(errno),
  }),
  () => ({ type: 'pump-closed' }),
];

/** The addon's flat batch as events. */
export function decodePumpEvents(numbers: Float64Array, buffers: readonly Buffer[]): NativePumpEvent[] {
  const events: NativePumpEvent[] = [];
  const pending = buffers.values();
  for (let at = 0; at < numbers.length; at += width) {
    const decode = decoders[(numbers[at] as number) - firstType];
    const bytes = pending.next().value as Buffer;
    if (decode) events.push(decode(numbers[at + 1] as number, numbers.subarray(at + 2, at + width), bytes));
  }
  return events;
}
