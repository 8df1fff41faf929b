// Holds a master until SIGTERM; when its workers run, prints what it takes to read how one is, and the same of a Map. Usage:
// embedder CONFIG CONTAINMENT COUNT.
import { places } from './places.ts';
import { median } from './statistics.ts';

// As much as is needed here of what it measures.
interface Master {
  readonly events: { subscribe(listener: (event: { readonly type: string }) => void): () => void };
  start(): Promise<void>;
  shutdown(): Promise<unknown>;
  worker(id: string): { readonly phase: string };
}
interface Launcher {
  createMaster(options: { configFile: string; containment: string; reapOrphans: boolean }): Master;
}

const BATCHES = 300;
/** Few enough that most batches are over before another program gets the processor. */
const READS = 10_000;

/** The median of the batches, ns for each. What was read is counted, so that no compiler leaves it away. */
function nanosecondsOf(ids: readonly string[], read: (id: string) => { readonly phase: string }): number {
  let running = 0;
  const batch = (): number => {
    const from = process.hrtime.bigint();
    for (let at = 0; at < READS; at++) {
      if (read(ids[at % ids.length] ?? '').phase === 'running') running += 1;
    }
    return Number(process.hrtime.bigint() - from) / READS;
  };
  const taken = Array.from({ length: BATCHES }, batch);
  if (running !== BATCHES * READS)
    throw new Error(`${running} of ${BATCHES * READS} reads told of a running worker`);
  return median(taken) ?? 0;
}

const [configFile = '', containment = '', count = ''] = process.argv.slice(2);
const { createMaster } = (await import(places.library)) as Launcher;
const master = createMaster({ configFile, containment, reapOrphans: true });
const asked = new Promise((resolve) => process.once('SIGTERM', resolve));
const ids = Array.from({ length: Number(count) }, (_, index) => `w${index}`);
const all = Promise.withResolvers<void>();
const look = (): void => {
  if (ids.every((id) => master.worker(id).phase === 'running')) all.resolve();
};
master.events.subscribe(look);
await master.start();
look();
await all.promise;
const stored = new Map(ids.map((id) => [id, { phase: 'running' }]));
const ofMap = nanosecondsOf(ids, (id) => stored.get(id) ?? { phase: '' });
const ofMaster = nanosecondsOf(ids, (id) => master.worker(id));
process.stdout.write(`read ${ofMaster.toFixed(2)} ${ofMap.toFixed(2)}\n`);
await asked;
await master.shutdown();
