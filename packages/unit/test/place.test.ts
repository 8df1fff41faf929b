import { expect, it } from 'vitest';
import { placeOf } from '../src/index.ts';

it.each([
  [['--port', '5'], {}, { kind: 'port', port: 5 }],
  [['--port=5'], { PORT: '6' }, { kind: 'port', port: 5 }],
  [['--port', '7', 'x', '--port', '5'], {}, { kind: 'port', port: 5 }],
  [[], { PORT: '6' }, { kind: 'port', port: 6 }],
  [[], { PORT: '' }, { kind: 'port', port: 0 }],
  [[], {}, { kind: 'port', port: 0 }],
  [['--port', '5'], { LISTEN_FDS: '1', LISTEN_PID: '42' }, { kind: 'socket', fd: 3 }],
  // Inherited by way of a parent: not meant for this process.
  [['--port', '5'], { LISTEN_FDS: '1', LISTEN_PID: '41' }, { kind: 'port', port: 5 }],
  [['--port', '5'], { LISTEN_FDS: '0', LISTEN_PID: '42' }, { kind: 'port', port: 5 }],
])('%j with %j is %j', (argv, env, place) => {
  expect(placeOf(argv, env, 42)).toEqual(place);
});

it.each([[['--port']], [['--port', 'x']], [['--port=65536']], [['--port', '-1']]])(
  '%j is no port',
  (argv) => {
    if (argv.length === 1 && argv[0] === '--port')
      expect(placeOf(argv, {}, 1)).toEqual({ kind: 'port', port: 0 });
    else expect(() => placeOf(argv, {}, 1)).toThrow(/is not a port/);
  },
);
