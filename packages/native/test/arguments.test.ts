import { describe, expect, it } from 'vitest';
import type { NativeEngine, NativeEngineOptions, NativeSpawn, NativeTree } from '../src/index.ts';
import { native, openBench, spawnOptions } from './harness.ts';
import { limits, noProcessLimits } from './limits.ts';

const good = spawnOptions({ file: '/bin/true' });

describe('wrong arguments', () => {
  const wrong: [string, object, ErrorConstructor, RegExp][] = [
    ['a file that is no string', { file: 1 }, TypeError, /^file must be a string/],
    ['an empty file', { file: '' }, TypeError, /^file must not be empty/],
    ['a NUL in the file', { file: '/bin/tr\0ue' }, TypeError, /^file must not contain a NUL/],
    ['no argument at all', { argv: [] }, TypeError, /^argv must hold/],
    ['a string for arguments', { argv: 'true' }, TypeError, /^argv must be an array/],
    ['an argument that is no string', { argv: ['true', 1] }, TypeError, /^argv\[1\] must be a string/],
    ['a hole in the arguments', { argv: Array.from({ length: 2 }) }, TypeError, /^argv\[0\]/],
    ['B6: a NUL in an argument', { argv: ['true', 'a\0b'] }, TypeError, /^argv\[1\] must not contain a NUL/],
    ['B6: a NUL in the environment', { env: ['A=\0'] }, TypeError, /^env\[0\] must not contain a NUL/],
    ['no environment', { env: null }, TypeError, /^env must be an array/],
    ['an empty folder', { cwd: '' }, TypeError, /^cwd must not be empty/],
    ['a NUL in the folder', { cwd: '/\0' }, TypeError, /^cwd must not contain a NUL/],
    ['an undefined folder', { cwd: undefined }, TypeError, /^cwd must be a string/],
    ['a umask above 0777', { umask: 0o1000 }, RangeError, /^umask must be a whole number/],
    ['a negative user', { uid: -1 }, RangeError, /^uid/],
    ['the user that means none', { uid: 2 ** 32 - 1 }, RangeError, /^uid/],
    ['half a group', { gid: 0.5 }, RangeError, /^gid/],
    ['a group that is no number', { gid: '0' }, TypeError, /^gid/],
    ['groups that are none', { groups: 'adm' }, TypeError, /^groups must be an array/],
    ['a wrong group among groups', { groups: [0, Number.NaN] }, RangeError, /^groups\[1\]/],
    ['an unknown stdout', { stdout: 'pipe' }, TypeError, /^stdout must be one of/],
    ['stdout into itself', { stdout: 'stdout' }, TypeError, /^stdout must be one of/],
    ['an unknown stderr', { stderr: 2 }, TypeError, /^stderr must be one of/],
    ['a fallback that is no boolean', { shellFallback: 1 }, TypeError, /^shellFallback must be a boolean/],
    ['a word for a boolean', { dieWithMaster: 'yes' }, TypeError, /^dieWithMaster/],
    ['an infinite limit', { nofile: Number.POSITIVE_INFINITY }, RangeError, /^nofile/],
  ];

  it.each(wrong)('of spawn are refused before anything is made: %s', (_, change, kind, message) => {
    const { engine } = openBench();
    const attempt = () => engine.spawn({ ...good, ...change });
    expect(attempt).toThrow(kind);
    expect(attempt).toThrow(message);
  });

  it('of spawn: no object', () => {
    const { engine } = openBench();
    for (const none of [null, undefined, 'true']) {
      expect(() => engine.spawn(none as unknown as NativeSpawn)).toThrow(TypeError);
    }
  });

  const wrongLimits: [string, object, RegExp][] = [
    ['resource limits that are none', { rlimits: {} }, /^limits\.rlimits must be an array/],
    [
      'an unknown resource',
      { rlimits: [{ resource: 16, soft: 0, hard: 0 }] },
      /^limits\.rlimits\[0\]\.resource/,
    ],
    ['a negative limit', { rlimits: [{ resource: 0, soft: -1, hard: 0 }] }, /^limits\.rlimits\[0\]\.soft/],
    [
      'a limit that is no number',
      { rlimits: [{ resource: 0, soft: 0, hard: '1' }] },
      /^limits\.rlimits\[0\]\.hard/,
    ],
    ['too nice', { nice: 20 }, /^limits\.nice must be a whole number from -20 to 19/],
    ['an undefined niceness', { nice: undefined }, /^limits\.nice must be a number/],
    ['no processor at all', { affinity: [] }, /^limits\.affinity must be an array/],
    ['a wrong processor', { affinity: [0, 8192] }, /^limits\.affinity\[1\]/],
    ['an unknown scheduling class', { scheduler: { policy: 7, priority: 0 } }, /^limits\.scheduler\.policy/],
    ['too high a priority', { scheduler: { policy: 1, priority: 100 } }, /^limits\.scheduler\.priority/],
    ['an unknown I/O class', { ioPriority: { class: 4, level: 0 } }, /^limits\.ioPriority\.class/],
    ['an I/O level that is none', { ioPriority: { class: 1, level: 8 } }, /^limits\.ioPriority\.level/],
    ['half an oom_score_adj', { oomScoreAdj: 0.5 }, /^limits\.oomScoreAdj/],
  ];

  it.each(wrongLimits)('of limits are refused, at spawn and for the living: %s', (_, change, message) => {
    const { engine } = openBench();
    const given = { ...noProcessLimits, ...change };
    expect(() => engine.spawn({ ...good, limits: limits(given) })).toThrow(message);
    expect(() => native.limitProcess(process.pid, '1', given)).toThrow(message);
  });

  it('of placement are refused', () => {
    const { engine } = openBench();
    const cases: [object, RegExp][] = [
      [{ cgroup: '' }, /^limits\.cgroup must not be empty/],
      [{ cgroup: 1 }, /^limits\.cgroup must be a string/],
      [{ cgroup: '/\0' }, /^limits\.cgroup must not contain a NUL/],
      [{ makeCgroup: 'yes' }, /^limits\.makeCgroup must be a boolean/],
      [{ joins: '/x' }, /^limits\.joins must be an array/],
      [{ joins: ['/x', 1] }, /^limits\.joins\[1\] must be a string/],
      [{ noNewPrivs: 1 }, /^limits\.noNewPrivs must be a boolean/],
    ];
    for (const [change, message] of cases) {
      expect(() => engine.spawn({ ...good, limits: limits(change) })).toThrow(message);
    }
    for (const none of [undefined, 'none']) {
      expect(() => engine.spawn({ ...good, limits: none } as unknown as NativeSpawn)).toThrow(
        /^limits must be an object/,
      );
    }
  });

  it('of samples are refused', () => {
    const detail = { pss: false, connections: false, pressure: false, descriptors: false, peak: false };
    const tree = { cgroup: null, controllers: {}, pids: [] };
    const sample = (trees: unknown, given: unknown = detail) =>
      native.sampleTrees(trees as NativeTree[], given as typeof detail);
    expect(() => sample(null)).toThrow(/^trees must be an array/);
    expect(() => sample([null])).toThrow(/^a tree must be an object/);
    expect(() => sample([{ ...tree, cgroup: 1 }])).toThrow(/^cgroup must be a string/);
    expect(() => sample([{ ...tree, controllers: { memory: '/\0' } }])).toThrow(
      /^controllers\.memory must not contain/,
    );
    expect(() => sample([{ ...tree, pids: 1 }])).toThrow(/^pids must be an array/);
    expect(() => sample([{ ...tree, pids: [0] }])).toThrow(/^pid must be a whole number/);
    expect(() => sample([tree], { ...detail, pss: 1 })).toThrow(/^detail\.pss must be a boolean/);
  });

  it('of the other calls are refused', () => {
    const engine = openBench().engine as unknown as Record<
      keyof NativeEngine,
      (...args: unknown[]) => unknown
    >;
    const calls: [keyof NativeEngine, unknown[]][] = [
      ['release', ['1', true]],
      ['release', [1, 1]],
      ['signal', [1, 'SIGTERM']],
      ['signal', [1.5, 9]],
      ['signalGroup', [null, 9]],
      ['signalProcess', [0, '1', 9]],
      ['signalProcess', [-1, '1', 9]],
      ['signalProcess', [1, 1, 9]],
      ['signalProcess', [1, '-1', 9]],
      ['signalProcess', [1, '1e3', 9]],
      ['watch', [2 ** 31, '1']],
      ['watch', [1, '']],
      ['unwatch', [undefined]],
      ['detachOutput', [{}]],
      ['acknowledge', [-1]],
      ['acknowledge', ['1']],
    ];
    for (const [name, args] of calls) {
      expect(() => engine[name](...args), `${name}(${args.join(', ')})`).toThrow(/must be/);
    }
  });

  it('of openEngine and of the questions to the system are refused', () => {
    const options = { onEvents: () => undefined, subreaper: false, maxUnacknowledgedBytes: 1 };
    for (const change of [{ onEvents: 1 }, { subreaper: 'no' }, { maxUnacknowledgedBytes: 0 }]) {
      expect(() => native.openEngine({ ...options, ...change } as NativeEngineOptions)).toThrow(/must be/);
    }
    expect(() => native.openEngine(null as unknown as NativeEngineOptions)).toThrow(TypeError);
    expect(() => native.identify(0)).toThrow(RangeError);
    expect(() => native.environOf(1, 'A\0')).toThrow(TypeError);
    expect(() => native.lookupUser(0 as unknown as string)).toThrow(TypeError);
    expect(() => native.lockFile('a\0b')).toThrow(TypeError);
    expect(() => native.exec('a\0b', [], {}, [])).toThrow(TypeError);
    expect(() => native.exec('/bin/true', ['true'], {}, [-1])).toThrow(RangeError);
    expect(native.exec('/bin/true', ['true'], {}, [99_999])).toBe('EBADF');
  });
});
