// Holds a master until SIGTERM, and hears no line of its workers. Usage: holder CONFIG LOGS CONTAINMENT.
import { places } from './places.ts';

// As much as is needed here of what it measures, which the bench finds as it finds the launcher.
interface Master {
  start(): Promise<void>;
  shutdown(): Promise<unknown>;
}
interface Launcher {
  createMaster(options: {
    configFile: string;
    logDirectory: string;
    containment: string;
    reapOrphans: boolean;
  }): Master;
}

const [configFile = '', logDirectory = '', containment = ''] = process.argv.slice(2);
const { createMaster } = (await import(places.library)) as Launcher;
const master = createMaster({ configFile, logDirectory, containment, reapOrphans: true });
const asked = new Promise((resolve) => process.once('SIGTERM', resolve));
await master.start();
await asked;
await master.shutdown();
