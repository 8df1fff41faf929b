import type { IncomingMessage } from 'node:http';
import type { Clock, DiscoveryCheck, Milliseconds, ProcessIdentity } from '@hsu-master/core';
import { formatDuration } from '@hsu-master/core';
import { isProgram } from './executable.ts';
import type { Tools } from './matcher.ts';
import { NOTHING, type ProcessInfo, type ProcessSource } from './process.ts';

/** What validations may use. */
export interface Around {
  readonly source: ProcessSource;
  readonly tools: Tools;
  readonly clock: Clock;
  readonly timeout: Milliseconds;
}

/** Why the process is not what it should be; null: it is. The first of the validations that fails answers. */
export async function invalidity(
  process: ProcessIdentity,
  validations: readonly DiscoveryCheck[],
  around: Around,
): Promise<string | null> {
  for (const validation of validations) {
    const why = await check(process, validation, around);
    if (why !== null) return why;
  }
  return null;
}

async function check(
  process: ProcessIdentity,
  validation: DiscoveryCheck,
  around: Around,
): Promise<string | null> {
  const { source, tools } = around;
  switch (validation.type) {
    case 'file-exists':
      return tools.exists(validation.path) ? null : `there is no ${validation.path}`;
    case 'executable': {
      const wanted = tools.realPath(validation.path);
      const [seen] = source.look({ ...NOTHING, exe: true }, [process.pid]).processes;
      if (seen === undefined) return 'it has ended';
      if (seen.exe === null || seen.exe === undefined)
        return `which program it is may not be seen (${seen.losses[0]?.code ?? 'unknown'})`;
      return isProgram(seen.exe, wanted) ? null : `it is ${seen.exe}, not ${wanted}`;
    }
    case 'port-check':
      return holdsPort(process, validation, source) ?? (await accepts(validation, around));
    case 'http-health':
      return answers(validation.url, around);
  }
}

/** Why the port is another’s; null where it is not, or who listens may not be seen. */
function holdsPort(
  process: ProcessIdentity,
  { protocol, port }: DiscoveryCheck & { type: 'port-check' },
  source: ProcessSource,
): string | null {
  const { processes } = source.look({ ...NOTHING, ports: [{ protocol, port }] }, null);
  const holders = processes.filter(({ listeners }) => (listeners ?? []).length > 0);
  const isBlind = processes.some(({ listeners }) => listeners === null);
  if (holders.length === 0) return isBlind ? null : `nobody listens on ${protocol} port ${port}`;
  const parents = new Map(processes.map((one) => [one.pid, one.ppid]));
  if (isBlind || holders.some((holder) => descends(holder, process.pid, parents))) return null;
  return `${protocol} port ${port} is held by ${holders.map(({ pid, name }) => `pid ${pid} (${name})`).join(', ')}`;
}

function descends({ pid }: ProcessInfo, from: number, parents: ReadonlyMap<number, number>): boolean {
  const passed = new Set<number>();
  for (
    let at: number | undefined = pid;
    at !== undefined && at > 0 && !passed.has(at);
    at = parents.get(at)
  ) {
    if (at === from) return true;
    passed.add(at);
  }
  return false;
}

/** UDP has no connections: that somebody listens is all there is to know. */
function accepts(
  { protocol, host, port }: DiscoveryCheck & { type: 'port-check' },
  around: Around,
): Promise<string | null> {
  if (protocol === 'udp') return Promise.resolve(null);
  const place = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return within(around, `no connection to ${place}`, (done) => {
    const { connect } = globalThis.process.getBuiltinModule('node:net');
    const socket = connect({ host, port });
    socket.on('connect', () => done(null));
    socket.on('error', (error) => done(`${place}: ${error.message}`));
    return () => socket.destroy();
  });
}

function answers(url: string, around: Around): Promise<string | null> {
  return within(around, `no answer from ${url}`, (done) => {
    const { get } = url.startsWith('https:')
      ? globalThis.process.getBuiltinModule('node:https')
      : globalThis.process.getBuiltinModule('node:http');
    const request = get(url, { agent: false }, (response: IncomingMessage) => {
      const { statusCode = 0 } = response;
      done(statusCode >= 200 && statusCode < 300 ? null : `${url} answers ${statusCode}`);
    });
    request.on('error', (error) => done(`${url}: ${error.message}`));
    return () => void request.destroy();
  });
}

/** Settles once, with the answer or, when the time is over, with `late`. */
function within(
  { clock, timeout }: Around,
  late: string,
  begin: (done: (why: string | null) => void) => () => void,
): Promise<string | null> {
  return new Promise((resolve) => {
    let isOver = false;
    const settle = (why: string | null): void => {
      if (isOver) return;
      isOver = true;
      cancel();
      end();
      resolve(why);
    };
    const cancel = clock.after(timeout, () => settle(`${late} within ${formatDuration(timeout)}`));
    const end = begin((why) => queueMicrotask(() => settle(why)));
  });
}
