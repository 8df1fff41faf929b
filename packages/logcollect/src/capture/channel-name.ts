import type { OutputStream, WorkerId } from '@hsu-master/core';

/** Whose output a FIFO carries. */
export interface ChannelName {
  readonly workerId: WorkerId;
  readonly run: number;
  readonly stream: OutputStream;
  /** Letters and digits: tells masters apart, which may all count runs from one. */
  readonly master: string;
}

const PATTERN = /^(?<id>[\w-]+)\.(?<run>\d+)\.(?<master>[\da-z]+)\.(?<stream>stdout|stderr)$/;

/** The file name of a FIFO. */
export function channelName({ workerId, run, stream, master }: ChannelName): string {
  return `${workerId}.${run}.${master}.${stream}`;
}

/** null: no name of a channel. */
export function parseChannelName(name: string): ChannelName | null {
  const groups = PATTERN.exec(name)?.groups;
  if (groups === undefined) return null;
  const { id = '', run, stream, master = '' } = groups;
  return { workerId: id, run: Number(run), stream: stream as OutputStream, master };
}
