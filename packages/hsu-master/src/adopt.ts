import { type DiscoverySpec, type Finding, HsuError, type Strategy } from '@hsu-master/core';
import { loadNative, type Native } from '@hsu-master/native';
import {
  createFinder,
  finderTools,
  NOTHING,
  nativeSource,
  type ProcessInfo,
  realClock,
} from '@hsu-master/workers';
import { EXIT_CODES } from './exit-codes.ts';
import type { Flags } from './flags.ts';
import { print } from './print.ts';
import { refused } from './refused.ts';
import { stanzaOf } from './stanza.ts';
import { yamlOf } from './yaml-text.ts';

/** Everything that is told of a process. */
const ALL = { ...NOTHING, argv: true, exe: true, cwd: true, user: true, ports: 'all' } as const;

/** `hsu-master adopt`: what to write into a configuration so that a process that runs already is watched. Changes nothing. */
export async function adopt(flags: Flags): Promise<number> {
  try {
    const strategy = strategyOf(flags);
    const loaded = loadNative();
    if (!loaded.ok) throw new HsuError('E_UNSUPPORTED', `processes cannot be looked for: ${loaded.reason}`);
    const { native } = loaded;
    const finding = await find(native, strategy);
    if (finding.kind !== 'found') {
      const why = finding.kind === 'none' ? `there is no such process: ${finding.reason}` : finding.reason;
      process.stderr.write(`hsu-master: ${why}\n`);
      return EXIT_CODES.failed.code;
    }
    const source = nativeSource(native);
    const seen = source.look(ALL, [finding.process.pid]).processes[0];
    if (seen === undefined || seen.startedAt !== finding.process.startedAt) {
      process.stderr.write(`hsu-master: process ${finding.process.pid} has just ended\n`);
      return EXIT_CODES.failed.code;
    }
    const family = familyOf(source.look({ ...NOTHING, ports: 'all' }, null).processes, seen.pid);
    const { worker, notes } = stanzaOf(seen, { asked: strategy, family, id: flags.id ?? null });
    const { pid, title } = finding.process;
    await print(flags.output, { process: { pid, title }, worker, notes }, () =>
      [`# pid ${pid}: ${title}`, ...notes.map((note) => `# ${note}`), yamlOf({ workers: [worker] })].join(
        '\n',
      ),
    );
    return EXIT_CODES.ok.code;
  } catch (error) {
    return refused(error);
  }
}

/** Who is meant: one of --port, --match, --pid. */
function strategyOf({ port, match, pid }: Flags): Strategy | number {
  const given = [port, match, pid].filter((one) => one !== undefined);
  if (given.length !== 1)
    throw new HsuError('E_USAGE', 'adopt takes one of --port PORT, --match PATTERN and --pid PID');
  if (match !== undefined) return { kind: 'command-line', pattern: match };
  if (pid !== undefined) return whole(pid, '--pid', 0x3f_ffff);
  const [number = '', protocol = 'tcp', ...rest] = (port as string).split('/');
  if ((protocol !== 'tcp' && protocol !== 'udp') || rest.length > 0)
    throw new HsuError('E_USAGE', `--port takes a number, or one with /udp, not "${port}"`);
  return { kind: 'port', protocol, port: whole(number, '--port', 65_535), address: null };
}

function whole(text: string, option: string, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most)
    throw new HsuError('E_USAGE', `${option} takes a number from 1 to ${most}, not "${text}"`);
  return value;
}

async function find(native: Native, asked: Strategy | number): Promise<Finding> {
  const clock = realClock();
  const userId = (nameOrId: string) => native.lookupUser(nameOrId)?.uid ?? null;
  const exec = () => {
    throw new Error('nothing is run');
  };
  const tools = finderTools({ host: { exec }, userId, mark: 'adopt' });
  const source = nativeSource(native);
  const wanted: Strategy =
    typeof asked === 'number' ? { kind: 'pid-file', path: '', checkAge: false } : asked;
  // A pid that was given is as good as one in a file.
  const readText = (path: string) =>
    typeof asked === 'number' ? { text: String(asked), writtenAt: 0 } : tools.readText(path);
  const finder = createFinder({ source, tools: { ...tools, readText }, clock, ownPid: process.pid });
  const discovery: DiscoverySpec = {
    strategy: wanted,
    exclude: [],
    choose: 'only',
    validation: [],
    timeout: 1000,
    interval: 1000,
  };
  const finding = await finder.find(discovery, () => false);
  const isLost = finding.kind === 'none' && typeof asked === 'number';
  return isLost ? { kind: 'none', reason: `pid ${asked} is not there, or may not be watched` } : finding;
}

/** A process and what descends from it. */
function familyOf(processes: readonly ProcessInfo[], pid: number): readonly ProcessInfo[] {
  const members = new Set([pid]);
  for (let before = 0; before !== members.size; ) {
    before = members.size;
    for (const one of processes) if (members.has(one.ppid)) members.add(one.pid);
  }
  return processes.filter((one) => members.has(one.pid));
}
