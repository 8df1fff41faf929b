import { REDACTIONS, type RedactionSpec } from '@hsu-master/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redaction } from '../../src/pipeline/redact/redact.ts';
import { Bench } from './pipelines.ts';
import { record } from './records.ts';

const PRESETS = REDACTIONS.filter((preset) => preset !== 'card');
const stage = (spec: Partial<RedactionSpec> = {}) =>
  redaction({ presets: PRESETS, patterns: [], keys: [], ...spec });

describe('secrets in text', () => {
  test.each([
    ['password=hunter2 user=x', 'password=[redacted] user=x'],
    ['db_password: "hun ter2", x', 'db_password: "[redacted]", x'],
    ["secret = 'a b'", "secret = '[redacted]'"],
    ['{"token":"abc","user":"x"}', '{"token":"[redacted]","user":"x"}'],
    ['{"body":"{\\"apiKey\\":\\"abc\\"}"}', '{"body":"{\\"apiKey\\":\\"[redacted]\\"}"}'],
    ['POST /login?token=abc&x=1', 'POST /login?token=[redacted]&x=1'],
    ['Authorization: Bearer abc.def-ghi', 'Authorization: [redacted]'],
    ['authorization: Basic dXNlcjpwYXNz', 'authorization: [redacted]'],
    ['sent Bearer abcdefghijklmnop0123456789 to', 'sent Bearer [redacted] to'],
    ['AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG', 'AWS_SECRET_ACCESS_KEY=[redacted]'],
    ['key AKIAIOSFODNN7EXAMPLE is', 'key [redacted] is'],
    ['postgres://app:s3cr3t@db:5432/x', 'postgres://app:[redacted]@db:5432/x'],
    ['redis://:p@ss@db/0', 'redis://:[redacted]@db/0'],
    ['run --password hunter2 --port 80', 'run --password [redacted] --port 80'],
    ['run --db-password hunter2', 'run --db-password [redacted]'],
    ['jwt eyJhbGciOi.eyJzdWIiOi.SflKxwRJSM end', 'jwt [redacted] end'],
    ['Set-Cookie: sid=1; Path=/', 'Set-Cookie: [redacted]; Path=/'],
    ['API-Key => abc', 'API-Key => [redacted]'],
    ['-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- x', '[redacted] x'],
  ])('%s', (text, expected) => {
    expect(stage()(record(text)).text).toBe(expected);
  });

  test.each([
    'tokens=512 used',
    'the password was wrong',
    'http://host:80/path?a=b',
    'password=null',
    'mailto someone@example.com',
    'bearer of news',
    'keyboard=us',
    '',
  ])('%s passes as it is', (text) => {
    const line = record(text);
    expect(stage()(line)).toBe(line);
  });

  test('a private key over several lines, each stream for itself', () => {
    const apply = stage();
    const lines = ['x', '-----BEGIN PRIVATE KEY-----', 'MIIEvQ', '-----END PRIVATE KEY-----', 'y'];
    expect(lines.map((line) => apply(record(line)).text)).toEqual([
      'x',
      '[redacted]',
      '[redacted]',
      '[redacted]',
      'y',
    ]);
    apply(record('-----BEGIN PRIVATE KEY-----', { stream: 'stderr' }));
    expect(apply(record('z')).text).toBe('z');
  });

  test('a key that never ends hides no more than 200 lines', () => {
    const apply = stage();
    apply(record('-----BEGIN PRIVATE KEY-----'));
    const shown = Array.from({ length: 300 }, (_, line) => apply(record(`line ${line}`)).text);
    expect(shown.filter((text) => text === '[redacted]')).toHaveLength(200);
  });

  test('cards, where asked for: only numbers whose check digit is right', () => {
    const apply = stage({ presets: ['card'] });
    expect(apply(record('paid by 4111 1111 1111 1111.')).text).toBe('paid by [redacted].');
    expect(apply(record('order 4111111111111112')).text).toBe('order 4111111111111112');
  });
});

test('message and fields are made unreadable too, by name and by content, at any depth', () => {
  const result = stage({ keys: ['pin'] })(
    record('x', {
      message: 'token=abc',
      fields: {
        password: 'abc',
        Pin: 1234,
        user: 'x',
        url: 'http://a:b@c/',
        headers: { authorization: 'Bearer x', list: ['secret=1', { apiKey: 'y' }] },
        tokens: 5,
        token: null,
      },
    }),
  );
  expect(result.message).toBe('token=[redacted]');
  expect(result.fields).toEqual({
    password: '[redacted]',
    Pin: '[redacted]',
    user: 'x',
    url: 'http://a:[redacted]@c/',
    headers: { authorization: '[redacted]', list: ['secret=[redacted]', { apiKey: '[redacted]' }] },
    tokens: 5,
    token: null,
  });
});

test('patterns of one’s own, with groups in the replacement', () => {
  const apply = stage({
    presets: [],
    patterns: [
      { pattern: '(?P<area>\\d{3})-\\d{4}', replacement: '${area}-xxxx' },
      { pattern: '(a)(b*)', replacement: '<$1>' },
    ],
  });
  expect(apply(record('call 555-1234 or 556-9876, abba')).text).toBe('c<a>ll 555-xxxx or 556-xxxx, <a><a>');
});

test('what is too much to search is masked, not let through', () => {
  const apply = stage({ presets: [], patterns: [{ pattern: '(?:x+y*)*?a', replacement: '-' }] });
  const { text } = apply(record('a'.repeat(60_000)));
  expect(text).toMatch(/^-+\[redacted\]$/);
});

test('a long secret is masked to its end', () => {
  const long = 'x'.repeat(50_000);
  for (const text of [
    `password=${long}`,
    `token: "${long}`,
    `{\\"secret\\":\\"${long}\\"}`,
    `Bearer ${long}`,
  ])
    expect(stage()(record(text)).text.length).toBeLessThan(60);
});

test('no line makes it slow', () => {
  for (const unit of [
    'token=\\"',
    '://:',
    'eyJ.',
    '-eyJ',
    'token ',
    'a-',
    '--a-',
    '-----BEGIN ',
    'bearer ',
    '"',
    '1 ',
    'AKIA',
  ])
    expect(stage({ presets: REDACTIONS })(record(unit.repeat(65_536 / unit.length))).damaged).toBe(false);
});

test('a secret value never comes through, whatever is around it', () => {
  const around = fc.string({ unit: fc.constantFrom(' ', 'a', '=', ':', '"', ',', '{', '}', '&', '-', '/') });
  const key = fc.constantFrom('password', 'API_KEY', 'clientSecret', 'x-token');
  const form = fc.constantFrom(
    '=HIDDEN7',
    ': "HIDDEN7"',
    '="HIDDEN7"',
    "='HIDDEN7'",
    '": "HIDDEN7"',
    ' = HIDDEN7 ',
  );
  fc.assert(
    fc.property(around, key, form, around, (before, name, value, after) => {
      expect(stage()(record(`${before} ${name}${value}${after}`)).text).not.toContain('HIDDEN7');
    }),
    { numRuns: 2000 },
  );
});

test('secrets in lists and objects are hidden, in text and in fields, and in words that are escaped', () => {
  const bench = new Bench({
    parsers: [{ type: 'json', levelKey: null, timeKey: null, messageKey: null }],
    redaction: { presets: ['key_value'], patterns: [], keys: ['pin'] },
  });
  const { out } = bench.lines([
    '{"password":["hunter2",["x hunter2"]],"a":1}',
    '{"secret":{"db":"hunter2","n":5,"on":true},"note":"kept"}',
    '{"pin":["hunter2"]}',
    '{"pass\\u0077ord":["hunter2"],"secret":[]}',
    'text before {"token": ["hunter2"]} kept',
  ]);
  for (const { text, message, fields } of out)
    expect(JSON.stringify([text, message, fields])).not.toContain('hunter2');
  expect(out[1]?.text).toBe('{"secret":{"db":"[redacted]","n":"[redacted]","on":true},"note":"kept"}');
  expect(out[1]?.fields).toEqual({ secret: { db: '[redacted]', n: '[redacted]', on: true }, note: 'kept' });
  expect(out[4]?.text).toBe('text before {"token": [redacted]} kept');
});
