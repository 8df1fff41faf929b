// The table of hazards: each call that the Windows addon exports against each hazard of native calls. A call that is exported and has no
// row fails; a cell is a test, or says why there is none.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Ears, KILLED, native, spawnOf, windows } from '../engine.ts';
import { call, calls, enter, exportsOf, load, make, NOBODY, OBJECTS, type Place, SLOW } from './calls.ts';

const addon = load();
const names = Object.keys(calls);
type Cell = string | ((place: Place) => unknown);
type Column = Readonly<Record<string, Cell>>;

const ERROR = { notFound: 1168, invalidParameter: 87 } as const;

const TAKE_TEXT = [
  'enablePrivilege',
  'lockFile',
  'installService',
  'uninstallService',
  'startService',
  'stopService',
  'queryService',
  'new ControlPipe',
  'Engine.createJob',
  'Engine.openJob',
  'Engine.spawn',
  'Pump.open',
  'Pump.replaceRotated',
];

async function inPlace(cell: (place: Place) => unknown): Promise<void> {
  const place = enter(addon);
  try {
    await cell(place);
  } finally {
    place.leave();
  }
}

function column(cells: Column): void {
  test('has cells of calls that there are', () =>
    expect(names).toEqual(expect.arrayContaining(Object.keys(cells))));
  for (const [name, cell] of Object.entries(cells)) {
    if (typeof cell === 'string') test.skip(`${name}: ${cell}`, () => {});
    else test(name, () => inPlace(cell));
  }
}

test('there is a row for each call that the addon exports, which answers', () =>
  inPlace((place) => {
    expect(names.toSorted()).toEqual(exportsOf(addon).toSorted());
    for (const name of names) {
      if (SLOW.has(name)) continue;
      expect(() => call(place, name), name).not.toThrow();
    }
  }));

describe('a wrong type', () => {
  const foreign = [undefined, null, true, 1, 'x', {}, [], Symbol('x'), 1n, () => undefined];

  /** Whether it is what the place takes, too. */
  function isLike(good: unknown, value: unknown): boolean {
    if (Array.isArray(good)) return Array.isArray(value);
    if (typeof good === 'object') return typeof value === 'object' || typeof value === 'function';
    return typeof good === typeof value;
  }
  /** What is no value of that place’s type. */
  function* otherTypes(good: unknown): Generator {
    for (const value of foreign) if (!isLike(good, value)) yield value;
    if (typeof good === 'object') yield null;
    if (typeof good === 'number') yield* [Number.NaN, Number.POSITIVE_INFINITY];
  }
  function* beyondAnyInteger(good: unknown): Generator {
    if (typeof good === 'number') yield* [2 ** 80, -(2 ** 80)];
  }
  /** What is given, once for each of its parts and each wrong value in the place of that. */
  function* spoiled(good: unknown, wrongOf: (part: unknown) => Generator): Generator {
    function* wrongs(part: unknown): Generator {
      yield* wrongOf(part);
      yield* spoiled(part, wrongOf);
    }
    if (Array.isArray(good)) {
      for (const [at, part] of good.entries()) for (const wrong of wrongs(part)) yield good.with(at, wrong);
    } else if (good !== null && typeof good === 'object') {
      for (const [key, part] of Object.entries(good))
        for (const wrong of wrongs(part)) yield { ...good, [key]: wrong };
    }
  }
  function refuses(
    name: string,
    wrongOf: (part: unknown) => Generator,
    kind: ErrorConstructor,
  ): Promise<void> {
    return inPlace((place) => {
      const object = name.includes('.')
        ? make(addon, name.split('.')[0] as (typeof OBJECTS)[number])
        : ({} as never);
      const all = [...spoiled(calls[name]?.(place, object), wrongOf)] as (readonly unknown[])[];
      if (name.includes('.')) (object as { close(): void }).close();
      for (const words of all)
        expect(() => call(place, name, () => words), `${name}(${inspect(words)})`).toThrow(kind);
    });
  }

  test.each(names)('%s refuses it', (name) => refuses(name, otherTypes, TypeError));
  test.each(names)('%s refuses numbers out of range', (name) => refuses(name, beyondAnyInteger, RangeError));

  test('of the object itself is refused', () => {
    const engine = make(addon, 'Engine');
    for (const name of OBJECTS) {
      for (const [method, { value }] of Object.entries(
        Object.getOwnPropertyDescriptors(addon[name].prototype),
      )) {
        if (method === 'constructor') continue;
        const others = [undefined, {}, addon, ...(name === 'Engine' ? [] : [engine])];
        for (const other of others)
          expect(() => (value as () => void).call(other), method).toThrow(TypeError);
      }
    }
    engine.close();
  });
});

describe('a huge text', () => {
  const huge = 'x'.repeat(1 << 18);
  const grown = (good: unknown): unknown => {
    if (typeof good === 'string') return huge;
    if (Array.isArray(good)) return good.map(grown);
    if (good === null || typeof good !== 'object') return good;
    return Object.fromEntries(Object.entries(good).map(([key, part]) => [key, grown(part)]));
  };
  const why: Readonly<Record<string, string>> = {
    'Engine.spawn':
      'CreateProcess of Wine takes 260 characters and no more; the face refuses it (hazards.test.ts)',
  };

  for (const name of TAKE_TEXT) {
    if (why[name] !== undefined && windows.features.isWine) test.skip(`${name}: ${why[name]}`, () => {});
    else
      test(`${name} answers to it`, () =>
        inPlace((where) => {
          try {
            call(where, name, (given) => given.map(grown));
          } catch (error) {
            expect(error).toHaveProperty('errno');
          }
        }));
  }
});

describe('a NUL in a text', () => {
  const refuses = (attempt: () => unknown) => () => expect(attempt).toThrow(/NUL/);
  const { system } = windows;
  const pump =
    <T>(use: (pump: ReturnType<typeof native.openPump>) => T) =>
    () => {
      const one = native.openPump({ onEvents: () => {}, maxTappedBytes: 1 });
      onTestFinished(() => one.close());
      expect(() => use(one)).toThrow(/NUL/);
    };
  const engine = (use: (engine: Ears['engine']) => unknown) => () => {
    const ears = new Ears();
    onTestFinished(() => ears.engine.close());
    expect(() => use(ears.engine)).toThrow(/NUL/);
  };
  const sizes = { maxSize: 0, maxFiles: 0, rotateEvery: 0, overflow: 'block', format: 'plain' } as const;
  const labels = { worker: 'w', run: 1, stream: 'stdout', prefix: '' } as const;
  test('is no matter to calls without one', () =>
    inPlace((place) => {
      const holdsText = (good: unknown): boolean =>
        typeof good === 'string' ||
        (typeof good === 'object' && good !== null && Object.values(good).some(holdsText));
      const engine = make(addon, 'Engine');
      const take = names.filter((name) => holdsText(calls[name]?.(place, engine)));
      engine.close();
      expect(take.toSorted()).toEqual(TAKE_TEXT.toSorted());
    }));
  const settings = {
    name: 'x',
    title: '',
    description: '',
    commandLine: '',
    environment: [],
    stopTimeout: 1,
  };
  column({
    enablePrivilege: refuses(() => windows.enablePrivilege('a\0b')),
    lockFile: refuses(() => native.lockFile('C:\\a\0b')),
    installService: () => {
      for (const change of [{ name: 'a\0b' }, { commandLine: 'a\0b' }, { environment: ['A=\0'] }])
        expect(() => system.installService({ ...settings, ...change })).toThrow(/NUL/);
    },
    uninstallService: refuses(() => system.uninstallService('a\0b')),
    startService: refuses(() => system.startService('a\0b')),
    stopService: refuses(() => system.stopService('a\0b')),
    queryService: refuses(() => system.queryService('a\0b')),
    'new ControlPipe': refuses(() => system.openControlPipe('\\\\.\\pipe\\a\0b', () => {})),
    'Engine.createJob': engine((one) => one.createJob('a\0b')),
    'Engine.openJob': engine((one) => one.openJob('a\0b')),
    'Engine.spawn': engine((one) => one.spawn(spawnOf([], { cwd: 'C:\\\0' }))),
    'Pump.open': pump((one) => one.open({ fifo: 'a\0b', file: null, ...sizes, labels })),
    'Pump.replaceRotated': pump((one) => one.replaceRotated('a\0b', 1, 1, 'x', '.gz')),
  });
});

describe('after close', () => {
  test.each(['Engine', 'Pump'] as const)('every call of the %s is refused, and close itself never', (name) =>
    inPlace((place) => {
      const living = make(addon, name);
      const object = make(addon, name);
      object.close();
      for (const [call, given] of Object.entries(calls)) {
        if (!call.startsWith(`${name}.`) || call.endsWith('.close')) continue;
        const words = given(place, living);
        const methods = object as unknown as Record<string, (...words: readonly unknown[]) => void>;
        expect(() => methods[call.slice(name.length + 1)]?.(...words), call).toThrow(/is closed/);
      }
      object.close();
      living.close();
    }),
  );
  column({
    'ControlPipe.security': () => {
      const pipe = make(addon, 'ControlPipe');
      expect(pipe.security()).toMatch(/^D:/);
      pipe.close();
      expect(pipe.security()).toBe('');
      pipe.close();
    },
    unlockFile: ({ folder }) => {
      const lock = addon.lockFile(`${folder}\\one`, -1) as number;
      addon.unlockFile(lock);
      const other = addon.lockFile(`${folder}\\two`, -1) as number;
      addon.unlockFile(lock === other ? NOBODY : lock);
      // Whatever number it has: the other is still held.
      expect(addon.lockFile(`${folder}\\two`, -1)).toBeNull();
      addon.unlockFile(other);
    },
  });
});

/** One that has ended; its creation time as a number. */
async function gone(): Promise<{ pid: number; started: number; handle: number; ears: Ears }> {
  const ears = new Ears();
  onTestFinished(() => ears.engine.close());
  const { handle, pid, startTime } = ears.start(['exit', '0'], { stdout: 'null', stderr: 'null' });
  ears.engine.release(handle, true);
  await ears.hear('exited', (event) => event.handle === handle);
  return { pid, started: Number(startTime), handle, ears };
}

const gonePid = async () => {
  const { pid, started } = await gone();
  return [pid, started] as const;
};

function withEngine<T>(use: (engine: ReturnType<typeof make>, job: number) => T): T {
  const engine = make(addon, 'Engine');
  try {
    return use(engine, engine.createJob('') as number);
  } finally {
    engine.close();
  }
}

const isRefused = (error: unknown): void => {
  expect([ERROR.notFound, ERROR.invalidParameter]).toContain(error);
};

describe('a process that has gone between check and use', () => {
  const byHandle = 'by a handle, which is held until its end is told: then there is none of that number';
  column({
    identify: async () => expect(addon.identify((await gonePid())[0])).toBeNull(),
    look: async () => expect(addon.look((await gonePid())[0], 31)[0]).toBe(0),
    terminate: async () => isRefused(addon.terminate(...(await gonePid()), KILLED)),
    suspend: async () => isRefused(addon.suspend(...(await gonePid()), true)),
    mayEnd: async () => isRefused(addon.mayEnd(...(await gonePid()))),
    closeWindows: async () => expect(addon.closeWindows([(await gonePid())[0]])).toBe(0),
    visibleWindows: async () => expect(addon.visibleWindows([(await gonePid())[0]])).toBe(0),
    repairConsole: async () => expect(addon.repairConsole((await gonePid())[0])).not.toBe(0),
    'Engine.assign': async () => {
      const who = await gonePid();
      isRefused(withEngine((engine, job) => engine.assign(job, ...who)));
    },
    'Engine.parkJob': async () => {
      const who = await gonePid();
      isRefused(withEngine((engine, job) => engine.parkJob(job, ...who)));
    },
    'Engine.watch': async () => {
      const who = await gonePid();
      expect(withEngine((engine) => engine.watch(...who))).toEqual([expect.any(String), expect.any(Number)]);
    },
    'Engine.release': async () => {
      const { ears, handle } = await gone();
      expect(ears.engine.release(handle, true)).toBeNull();
    },
    'Engine.detachOutput': async () => {
      const { ears, handle } = await gone();
      expect(ears.engine.detachOutput(handle)).toBeUndefined();
    },
    'Engine.terminate': byHandle,
    'Engine.unwatch': byHandle,
  });
});

describe('a number that another process has by now', () => {
  const told = 'tells the time of creation along with what has the number';
  const shown = 'asked in the same turn as mayEnd, which compares the time of creation';
  column({
    identify: told,
    look: told,
    terminate: () => isRefused(addon.terminate(process.pid, 1, KILLED)),
    suspend: () => isRefused(addon.suspend(process.pid, 1, true)),
    mayEnd: () => isRefused(addon.mayEnd(process.pid, 1)),
    closeWindows: shown,
    visibleWindows: 'counts, for tests',
    repairConsole: 'gives up at once what it may have attached to, and does nothing else',
    'Engine.assign': () => isRefused(withEngine((engine, job) => engine.assign(job, process.pid, 1))),
    'Engine.parkJob': () => isRefused(withEngine((engine, job) => engine.parkJob(job, process.pid, 1))),
    'Engine.watch': () =>
      expect(withEngine((engine) => engine.watch(process.pid, 1))).toEqual([
        expect.any(String),
        ERROR.notFound,
      ]),
    'Engine.release': 'by handle',
    'Engine.detachOutput': 'by handle',
    'Engine.terminate': 'by handle',
    'Engine.unwatch': 'by the number of the watch, which is never given again',
  });
});

test.skip('without permission they say so: Wine lets an administrator, who runs this, do everything', () => {});

describe('in processes of their own', () => {
  const program = fileURLToPath(new URL('program.ts', import.meta.url));
  const run = (way: string): Promise<string> =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, ['--expose-gc', program, way], { windowsHide: true });
      let said = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          said += text;
        });
      child.once('close', (code) => resolve(`${said.trim()} (${code})`));
    });

  test('worker threads call them all, and end in the midst of a call', async () => {
    expect(await run('threads')).toBe('threads true (0)');
  });
  test('all answer where the addon is loaded twice', async () => {
    expect(await run('twice')).toBe('twice 7 7 (0)');
  });
  test('what nobody refers to any more is not collected before it has told what it has to', async () => {
    expect(await run('collected')).toBe('collected 7 (0)');
  });
});
