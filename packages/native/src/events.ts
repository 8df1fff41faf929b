import { failureFrom } from './failure.ts';
import type { NativeEvent, NativeStream } from './native.ts';
import { signalName } from './signals.ts';

/** Numbers of one event: type, subject and its fields, as native/shared/hsu/events.h has them. */
const width = 9;

type Decode = (subject: number, fields: Float64Array, buffers: IterableIterator<Buffer>) => NativeEvent;

const streamOf = (field: number | undefined): NativeStream => (field === 1 ? 'stderr' : 'stdout');
const codeOf = (field: number | undefined): number | null =>
  field === undefined || field < 0 ? null : field;
const signalOf = (field: number | undefined): string | null => (field ? signalName(field) : null);

const decoders: readonly Decode[] = [
  (handle, [usedShell]) => ({ type: 'execed', handle, usedShell: usedShell === 1 }),
  (handle, [step = -1, errno = 0]) => ({ type: 'exec-failed', handle, failure: failureFrom(step, errno) }),
  (handle, [code, signal, coreDumped, userMs = 0, systemMs = 0, maxRss, groupEmpty]) => ({
    type: 'exited',
    handle,
    code: codeOf(code),
    signal: signalOf(signal),
    coreDumped: coreDumped === 1,
    userMs,
    systemMs,
    maxRssBytes: codeOf(maxRss),
    groupEmpty: groupEmpty === 1,
  }),
  (handle, [stream], buffers) => ({
    type: 'output',
    handle,
    stream: streamOf(stream),
    data: buffers.next().value as Buffer,
  }),
  (handle, [stream]) => ({ type: 'output-end', handle, stream: streamOf(stream) }),
  (watch) => ({ type: 'watched-exited', watch }),
  (watch, [code, signal, coreDumped, userMs, systemMs]) => ({
    type: 'watched-status',
    watch,
    code: codeOf(code),
    signal: signalOf(signal),
    coreDumped: coreDumped === 1,
    userMs: codeOf(userMs),
    systemMs: codeOf(systemMs),
  }),
  (pid) => ({ type: 'orphan-reaped', pid }),
];

/** The addon's flat batch as events. */
export function decodeEvents(numbers: Float64Array, buffers: readonly Buffer[]): NativeEvent[] {
  const events: NativeEvent[] = [];
  const pending = buffers.values();
  for (let at = 0; at < numbers.length; at += width) {
    const decode = decoders[numbers[at] as number];
    if (decode) events.push(decode(numbers[at + 1] as number, numbers.subarray(at + 2, at + width), pending));
  }
  return events;
}
