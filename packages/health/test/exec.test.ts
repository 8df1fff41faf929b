import { expect, test } from 'vitest';
import { Bench, heard, probe } from './support/bench.ts';

const check = { type: 'exec', argv: ['/bin/check', '-q'] } as const;

async function reasonOf(settle: (bench: Bench) => void): Promise<string> {
  const bench = new Bench({ liveness: probe(check) }).begin();
  bench.clock.advance(0);
  settle(bench);
  await heard();
  bench.end();
  return bench.reason();
}

test('runs in the worker’s place, with its own mark, a time-out and bounded output', () => {
  const bench = new Bench({ liveness: probe(check, { timeout: 250 }) }).begin();
  bench.clock.advance(0);
  const request = bench.helpers[0]?.request;
  expect(request?.command).toMatchObject({
    argv: ['/bin/check', '-q'],
    cwd: '/srv',
    env: { A: 'b' },
    user: 'www',
  });
  expect(request?.mark).toBe('web.4711-1.probe.liveness.1');
  expect(request?.timeout).toBe(250);
  expect(request?.maxOutput).toBeLessThanOrEqual(64 * 1024);
});

test('E4: tells the exit and the last line of what was printed', async () => {
  expect(await reasonOf((bench) => bench.helpers[0]?.exit(1, 'first\nno route to db\n\n'))).toBe(
    'exit 1: no route to db',
  );
});

test('keeps control characters and long lines out of the reason', async () => {
  const reason = await reasonOf((bench) =>
    bench.helpers[0]?.exit(3, `\u001b[31mred\u0007 ${'x'.repeat(5000)}`),
  );
  expect(reason).toMatch(/^exit 3: \[31mred x+…$/);
  expect(reason.length).toBeLessThan(250);
});

test('E3: a time-out is a failure', async () => {
  expect(
    await reasonOf((bench) => bench.helpers[0]?.settle({ kind: 'timed-out', output: 'waiting…\n' })),
  ).toBe('not done within 500ms: waiting…');
});

test('a helper that cannot be started is a failure with the host’s words', async () => {
  const failure = { code: 'E_EXEC_NOT_FOUND', message: 'cannot run /bin/check: no such file' } as const;
  expect(await reasonOf((bench) => bench.helpers[0]?.settle({ kind: 'failed', failure }))).toBe(
    failure.message,
  );
});

test('passes on exit 0 only', async () => {
  const bench = new Bench({ readiness: probe(check) }).begin();
  bench.clock.advance(0);
  bench.helpers[0]?.exit(0, 'fine');
  expect(await bench.toldCount(1)).toEqual([{ kind: 'became-ready' }]);
});
