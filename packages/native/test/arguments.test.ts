import { describe, expect, it } from 'vitest';
import type { NativeEngine, NativeEngineOptions, NativeSpawn } from '../src/index.ts';
import { native, openBench, spawnOptions } from './harness.ts';

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
  });
});
