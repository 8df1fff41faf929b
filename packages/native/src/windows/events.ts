import type { NativeStream } from '../native.ts';
import type { WindowsEvent, WindowsJobNews } from './native.ts';

/** Numbers of one event: type, subject and its fields, as native/shared/hsu/events.h has them. */
const width = 9;
const TYPES = { exited: 2, output: 3, outputEnd: 4, watchedStatus: 6, job: 32 } as const;

/** JOB_OBJECT_MSG_* of winnt.h. */
const NEWS: readonly (WindowsJobNews | undefined)[] = [
  undefined,
  'job-time',
  'process-time',
  'process-limit',
  'empty',
  undefined,
  'new-process',
  'exit-process',
  'abnormal-exit',
  'process-memory',
  'job-memory',
  'notification',
  'job-cycle-time',
];

const streamOf = (field: number | undefined): NativeStream => (field === 1 ? 'stderr' : 'stdout');
const known = (field: number | undefined): number | null => (field === undefined || field < 0 ? null : field);

/** The addon’s flat batch as events. */
export function decodeWindowsEvents(numbers: Float64Array, buffers: readonly Buffer[]): WindowsEvent[] {
  const events: WindowsEvent[] = [];
  let buffer = 0;
  for (let at = 0; at < numbers.length; at += width) {
    const type = numbers[at] as number;
    // Which events come with bytes is said by native/shared/hsu/delivery.h.
    const data = type === TYPES.output || type >= 8 ? buffers[buffer++] : undefined;
    const event = decode(type, numbers[at + 1] as number, numbers.subarray(at + 2, at + width), data);
    if (event !== null) events.push(event);
  }
  return events;
}

function decode(
  type: number,
  subject: number,
  fields: Float64Array,
  data: Buffer | undefined,
): WindowsEvent | null {
  const [first = 0, second = 0, , userMs = 0, kernelMs = 0, maxRss = -1] = fields;
  switch (type) {
    case TYPES.exited: {
      const maxRssBytes = known(maxRss);
      return { type: 'exited', handle: subject, code: known(first), userMs, kernelMs, maxRssBytes };
    }
    case TYPES.output:
      return { type: 'output', handle: subject, stream: streamOf(first), data: data as Buffer };
    case TYPES.outputEnd:
      return { type: 'output-end', handle: subject, stream: streamOf(first) };
    case TYPES.watchedStatus:
      return { type: 'watched-exited', watch: subject, code: known(first), userMs, kernelMs };
    case TYPES.job: {
      const news = NEWS[first];
      return news === undefined ? null : { type: 'job', job: subject, news, pid: second };
    }
    default:
      return null;
  }
}
