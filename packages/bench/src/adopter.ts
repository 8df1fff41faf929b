// Makes a master that takes charge of what a killed one has left, prints how many and in how many ms, and leaves them again. Usage:
// adopter CONFIG CONTAINMENT COUNT.
import { places } from './places.ts';

// As much as is needed here of what it measures, which the bench finds as it finds the launcher.
interface Master {
  readonly events: { subscribe(listener: (event: { readonly type: string }) => void): () => void };
  start(): Promise<void>;
  shutdown(options: { workers: 'leave' }): Promise<unknown>;
}
interface Launcher {
  createMaster(options: { configFile: string; containment: string; reapOrphans: boolean }): Master;
}

const [configFile = '', containment = '', count = ''] = process.argv.slice(2);
const { createMaster } = (await import(places.library)) as Launcher;
const from = performance.now();
const master = createMaster({ configFile, containment, reapOrphans: true });
let attached = 0;
const all = Promise.withResolvers<number>();
master.events.subscribe(({ type }) => {
  if (type === 'worker.attached') attached += 1;
  if (attached === Number(count)) all.resolve(performance.now());
});
await master.start();
const at = await all.promise;
process.stdout.write(`reattached ${attached} ${(at - from).toFixed(3)}\n`);
await master.shutdown({ workers: 'leave' });
