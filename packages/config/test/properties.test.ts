import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatIssue } from '../src/index.ts';
import { accept, CORPUS, corpus, load } from './corpus.ts';
import './properties.ts';

const FACTOR = Number(process.env['HSU_TIME_FACTOR'] ?? 1);

const KEYS = [
  'workers',
  'master',
  'id',
  'type',
  'unit',
  'managed',
  'control',
  'execution',
  'command',
  'env',
  'depends_on',
  'restart',
  'probes',
  'ready',
  'liveness',
  'http',
  'tcp',
  'exec',
  'health_check',
  'limits',
  'memory',
  'max_rss',
  'max_swap',
  'cpu',
  'affinity',
  'scheduler',
  'escalation',
  'policy',
  'alerts',
  'groups',
  'worker_group',
  'namespace',
  'log',
  'shell',
  '__proto__',
  'constructor',
  'x',
];
const VALUES = [
  'a',
  'b',
  'managed',
  'restart',
  '50%',
  '512MB',
  '0-3,5',
  '10s',
  '0',
  '-1',
  '1.5',
  'true',
  '',
  '~',
  '${X}',
  '$$',
  '${',
  'x | y',
  'http://x/',
  '\u0000',
  '\n',
  '\uD800',
  '🚀',
];

const tree = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 7 },
    fc.constantFrom(...VALUES),
    fc.array(tie('node'), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.constantFrom(...KEYS), tie('node')), { maxLength: 5 })
      .map((entries) => new Map(entries)),
  ),
})).node;

/** JSON text of a tree; maps stay what they are, `__proto__` included. */
function write(node: unknown): string {
  if (node instanceof Map)
    return `{${[...node].map(([key, value]) => `${JSON.stringify(key)}: ${write(value)}`).join(', ')}}`;
  return Array.isArray(node) ? `[${node.map(write).join(', ')}]` : JSON.stringify(node);
}

/** Holds for every text: it is answered, and every place named is a place in it. */
function expectAnswer(text: string): void {
  const result = load(text);
  const lines = text.split('\n');
  const issues = result.ok ? result.config.warnings : result.issues;
  if (!result.ok) expect(issues.length).toBeGreaterThan(0);
  expect(issues.length).toBeLessThanOrEqual(101);
  for (const issue of issues) {
    expect(issue.line).toBeGreaterThanOrEqual(1);
    expect(issue.line).toBeLessThanOrEqual(lines.length);
    expect(issue.column).toBeGreaterThanOrEqual(1);
    expect(issue.column).toBeLessThanOrEqual((lines[issue.line - 1] as string).length + 1);
    expect(issue.message.length).toBeLessThan(2000);
    expect(formatIssue(issue, { colour: false })).not.toMatch(/[^\n\t\P{Cc}]/u);
  }
}

test('any text is answered, with places inside of it', () => {
  const text = fc.oneof(
    // Also halves of characters. (What fast-check has for it takes seconds to be made.)
    fc.array(fc.nat(0xffff), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
    fc.string({ unit: fc.constantFrom(...Array.from('a:- \n{}[]"\'#&*!|>$?,%@`~')) }),
  );
  fc.assert(fc.property(text, expectAnswer), { numRuns: 500 });
});

test('any tree of known keys is answered, with places inside of it', () => {
  fc.assert(
    fc.property(tree, (node) => {
      expectAnswer(write(node));
      expectAnswer(`workers: [${write(node)}]`);
    }),
    { numRuns: 500 },
  );
  expect(({} as Record<string, unknown>)['id']).toBeUndefined();
});

test('a configuration with lines lost or doubled is answered', () => {
  const edited = fc.record({
    name: fc.constantFrom(...CORPUS),
    drop: fc.array(fc.nat(120), { maxLength: 6 }),
    twice: fc.array(fc.nat(120), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(edited, ({ name, drop, twice }) => {
      const lines = corpus(name).split('\n');
      expectAnswer(
        lines
          .flatMap((line, at) => (drop.includes(at) ? [] : twice.includes(at) ? [line, line] : [line]))
          .join('\n'),
      );
    }),
    { numRuns: 150 },
  );
});

test('both forms that say the same give the same spec', () => {
  const name = fc.stringMatching(/^[a-z]{1,8}$/);
  const worker = fc.record({
    program: name,
    args: fc.array(fc.string({ unit: fc.constantFrom(...Array.from('ab "\'\\$#:-')) }), { maxLength: 4 }),
    env: fc.dictionary(
      fc.stringMatching(/^[A-Z]{1,5}$/),
      fc.string({ maxLength: 5 }).map((text) => text.replaceAll('$', '').replaceAll('\0', '')),
    ),
    grace: fc.integer({ min: 1, max: 600 }),
    codes: fc.array(fc.nat(255), { minLength: 1, maxLength: 3 }),
    rule: fc.record({
      max_retries: fc.integer({ min: 1, max: 9 }),
      retry_delay: fc.nat(90).map((n) => `${n}ms`),
      backoff_rate: fc.integer({ min: 1, max: 4 }),
      window: fc.constant('1m'),
    }),
    mode: fc.constantFrom('never', 'on-failure', 'always'),
    limits: fc.record(
      {
        priority: fc.integer({ min: -20, max: 19 }),
        memory: fc.record({
          max_rss: fc.integer({ min: 1, max: 900 }).map((n) => `${n}MB`),
          policy: fc.constantFrom('restart', 'kill', 'none', ''),
        }),
        cpu: fc.integer({ min: 1, max: 400 }).map((n) => `${n}%`),
      },
      { requiredKeys: [] },
    ),
  });
  fc.assert(
    fc.property(worker, ({ program, args, env, grace, codes, rule, mode, limits }) => {
      const argv = args.map((arg) => arg.replaceAll('$', '$$$$'));
      const short = {
        id: 'w',
        command: [program, ...argv],
        env,
        cwd: '/srv',
        stop_timeout: `${grace}s`,
        success_exit_codes: codes,
        restart: { policy: mode, ...rule },
        limits,
      };
      const control = {
        execution: {
          executable_path: program,
          args: argv,
          environment: Object.entries(env).map(([key, value]) => `${key}=${value}`),
          working_directory: '/srv',
        },
        graceful_timeout: `${grace}s`,
        success_exit_codes: codes,
        restart_policy: mode,
        limits,
        context_aware_restart: { default: rule, resource_violations: rule },
      };
      const long = { id: 'w', type: 'managed', unit: { managed: { metadata: { name: 'w' }, control } } };
      const [first, second] = [short, long].map(
        (written) => accept(JSON.stringify({ workers: [written] })).workers[0],
      );
      expect(first).toEqual(second);
    }),
    { numRuns: 120 },
  );
});

test('the same text gives the same specs', () => {
  for (const name of CORPUS) expect(load(corpus(name))).toEqual(load(corpus(name)));
});

test('I6: a file that is too large, too deep or multiplies is refused within a second', () => {
  const bomb = Array.from({ length: 12 }, (_, i) =>
    i === 0
      ? 'a0: &a0 [x]'
      : `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
  );
  const start = performance.now();
  for (const text of [
    'x'.repeat(50e6),
    '['.repeat(10_000),
    `${'- '.repeat(10_000)}a`,
    bomb.join('\n'),
    `workers: ${'{a: '.repeat(10_000)}`,
  ]) {
    expect(load(text).ok).toBe(false);
  }
  expect(performance.now() - start).toBeLessThan(5000 * FACTOR);
});
