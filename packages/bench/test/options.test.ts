import { describe, expect, it } from 'vitest';
import { readOptions } from '../src/options.ts';

const peers = ['floor', 'ours'];

describe('options', () => {
  it('mean everything where none is given', () => {
    expect(readOptions([], peers)).toMatchObject({
      peers,
      n: 1000,
      rounds: 5,
      idleSeconds: 60,
      loggers: false,
      linkage: 'dynamic',
    });
  });

  it('may follow the -- that package managers pass on', () => {
    expect(readOptions(['--', '--only', 'stop,start'], peers)?.metrics).toEqual(new Set(['start', 'stop']));
  });

  it('can ask for workers without a shared libc', () => {
    expect(readOptions(['--static'], peers)?.linkage).toBe('static');
  });

  it.each([
    [
      ['--only', 'speed'],
      '--only: "speed" is none of start, restart, stop, memory, idle, orphans, sampling, spawn, adopt, table, logs, control',
    ],
    [['--peers', 'ours,monit'], '--peers: "monit" is none of floor, ours'],
    [['--rounds', '0'], '--rounds: "0" is no whole number from 1 on'],
    [['--n', 'many'], '--n: "many" is no whole number from 1 on'],
  ])('%j are refused with a sentence', (args, message) => {
    expect(() => readOptions(args, peers)).toThrow(message);
  });

  it('are nothing where help is asked for', () => {
    expect(readOptions(['--help'], peers)).toBeUndefined();
  });
});
