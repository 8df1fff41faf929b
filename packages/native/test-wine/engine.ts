import {
  commandLine,
  loadNative,
  type WindowsEvent,
  type WindowsNative,
  type WindowsSpawn,
} from '../src/index.ts';

const loaded = loadNative({});
if (!loaded.ok || loaded.windows === null) throw new Error(loaded.ok ? 'no Windows' : loaded.reason);

export const { native } = loaded;
export const windows: WindowsNative = loaded.windows;
export const creature = `${process.env['HSU_ZOO']}\\creature.exe`;

/** What ends whom these tests end. */
export const KILLED = 0xe000_0009;

/** An engine that remembers what it was told. */
export class Ears {
  readonly events: WindowsEvent[] = [];
  readonly engine = windows.openEngine({
    maxUnacknowledgedBytes: 1 << 20,
    onEvents: (events) => {
      this.events.push(...events);
      for (const look of this.#waiting) look();
    },
  });
  readonly #waiting = new Set<() => void>();

  /** The first such event, as soon as it is there. */
  async hear<T extends WindowsEvent['type']>(
    type: T,
    which: (event: Extract<WindowsEvent, { type: T }>) => boolean = () => true,
  ): Promise<Extract<WindowsEvent, { type: T }>> {
    const find = () =>
      this.events.find((event) => event.type === type && which(event as Extract<WindowsEvent, { type: T }>));
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (find() === undefined) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
    return find() as Extract<WindowsEvent, { type: T }>;
  }

  text(handle: number, stream: 'stdout' | 'stderr' = 'stdout'): string {
    return Buffer.concat(
      this.events.flatMap((event) =>
        event.type === 'output' && event.handle === handle && event.stream === stream ? [event.data] : [],
      ),
    ).toString();
  }

  async says(handle: number, text: string): Promise<void> {
    await this.hear('output', () => this.text(handle).includes(text));
  }

  /** What the creature is to do, and what of the spawn differs. */
  start(words: readonly string[], differs: Partial<WindowsSpawn> = {}) {
    const result = this.engine.spawn(spawnOf(words, differs));
    if (!result.ok)
      throw new Error(`${result.failure.call}: ${result.failure.code} (${result.failure.error})`);
    return result.value;
  }
}

export function spawnOf(words: readonly string[], differs: Partial<WindowsSpawn> = {}): WindowsSpawn {
  const line = commandLine([creature, ...words]);
  if (!line.ok) throw new Error(line.reason);
  return {
    application: creature,
    commandLine: line.line,
    environment: environmentWith({}),
    cwd: null,
    stdout: 'capture',
    stderr: 'capture',
    console: 'own',
    jobs: [],
    ...differs,
  };
}

export function environmentWith(variables: Readonly<Record<string, string>>): string[] {
  const all = { SystemRoot: process.env['SystemRoot'] ?? 'C:\\windows', ...variables };
  return Object.entries(all).map(([name, value]) => `${name}=${value}`);
}
