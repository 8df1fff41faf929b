// Spawns a program through the native host of ours, again and again, and prints the mean of µs from the request to
// the report of its end. Usage: spawner plain|rlimits|group|limits COUNT PROGRAM.
import { places } from './places.ts';

// As much as is needed here of what it measures, which the bench finds as it finds the launcher.
interface Host {
  spawn(request: object, report: (report: { readonly kind: string }) => void): object;
  close(): void;
}
interface Workers {
  acquireContainment(options: { instance: string; mayMove: boolean; mayAskSystemd: boolean }): object;
  createNativeHost(native: object, options: object): Host;
  realClock(): object;
}
interface Addon {
  loadNative():
    | { readonly ok: true; readonly native: object }
    | { readonly ok: false; readonly reason: string };
}

const WARM_UP = 50;
const MiB = 1024 * 1024;

const response = {
  warning: null,
  spikeTolerance: 0,
  sustained: 0,
  steps: [],
  adjust: { factor: 1.5, cap: 2 },
};
const limitsOf = (values: Readonly<Record<string, number>>) => ({
  values,
  affinity: null,
  scheduler: null,
  ioPaths: [],
  tempDirectory: '/tmp',
  required: true,
  responses: {
    memory: response,
    cpu: response,
    io: response,
    process: response,
    network: response,
    storage: response,
  },
  throttlePercent: 10,
  monitoring: { enabled: false, interval: 10_000, retention: 60_000 },
  alerts: null,
});

const LIMITS = {
  plain: null,
  rlimits: limitsOf({
    'process.max_file_descriptors': 1000,
    'memory.max_heap': 512 * MiB,
    'process.max_core_size': 0,
  }),
  group: null,
  limits: limitsOf({ 'memory.max_rss': 512 * MiB, 'cpu.max_percent': 100, 'process.max_processes': 100 }),
};

function spawnOne(host: Host, limits: object | null, program: string, run: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const request = {
    workerId: 'spawned',
    run,
    command: { argv: [program], cwd: '/', env: {}, umask: null, user: null, group: null, groups: null },
    mark: `bench.${process.pid}.${run}`,
    captureStdout: false,
    captureStderr: false,
    output: { openChannels: () => null, write: () => undefined, end: () => undefined },
    limits,
    quotas: [],
    record: () => undefined,
  };
  host.spawn(request, (report) => {
    if (report.kind === 'exited') resolve();
    else if (report.kind === 'spawn-failed') reject(new Error(JSON.stringify(report)));
  });
  return promise;
}

async function main([how = '', count = '', program = '']: readonly string[]): Promise<void> {
  if (!Object.hasOwn(LIMITS, how)) throw new Error(`"${how}" is none of ${Object.keys(LIMITS).join(', ')}`);
  const limits = LIMITS[how as keyof typeof LIMITS];
  const workers = (await import(places.workers)) as Workers;
  const loaded = ((await import(places.native)) as Addon).loadNative();
  if (!loaded.ok) throw new Error(loaded.reason);
  const grouped = how === 'group' || how === 'limits';
  const containment = grouped
    ? {
        containment: workers.acquireContainment({
          instance: `bench-${process.pid}`,
          mayMove: true,
          mayAskSystemd: false,
        }),
      }
    : {};
  const host = workers.createNativeHost(loaded.native, {
    environment: { PATH: process.env['PATH'] },
    reapOrphans: true,
    clock: workers.realClock(),
    ...containment,
  });
  let run = 0;
  const spawnAll = async (times: number) => {
    for (let left = times; left > 0; left--) await spawnOne(host, limits, program, ++run);
  };
  try {
    await spawnAll(WARM_UP);
    const from = performance.now();
    await spawnAll(Number(count));
    const mean = ((performance.now() - from) * 1000) / Number(count);
    process.stdout.write(`${mean.toFixed(3)}\n`);
  } finally {
    host.close();
  }
}

await main(process.argv.slice(2));
