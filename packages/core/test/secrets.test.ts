import { describe, expect, test } from 'vitest';
import { isSecretName, maskAll, maskText, maskValue, maskWords } from '../src/control/secrets.ts';

describe('J8: a name', () => {
  test.each([
    'PASSWORD',
    'DB_PASSWORD',
    'dbPassword',
    'password',
    'pwd',
    'API_KEY',
    'apikey',
    'x-api-key',
    'SECRET',
    'client_secret',
    'AWS_SECRET_ACCESS_KEY',
    'GITHUB_TOKEN',
    'auth',
    'Authorization',
    'KEY',
    'TLS_KEY',
    'DATABASE_DSN',
    'credentials',
    'PRIVATE_KEY',
    'session-id',
    'JWT',
  ])('%s is that of a secret', (name) => expect(isSecretName(name)).toBe(true));

  test.each([
    'PATH',
    'HOME',
    'PORT',
    'AUTHOR',
    'KEYBOARD',
    'MONKEY',
    'PASSWORD_FILE',
    'TOKEN_TTL',
    'MAX_TOKENS',
    'COMPASS',
    'NODE_ENV',
    'key_count',
    'token-url',
  ])('%s is not', (name) => expect(isSecretName(name)).toBe(false));
});

describe('J8: of a command line', () => {
  test.each([
    [
      ['app', '--password', 'hunter2', 'x'],
      ['app', '--password', '***', 'x'],
    ],
    [
      ['app', '--password=hunter2'],
      ['app', '--password=***'],
    ],
    [
      ['app', '-token=abc'],
      ['app', '-token=***'],
    ],
    [
      ['app', '--token', '--verbose'],
      ['app', '--token', '--verbose'],
    ],
    [
      ['psql', 'postgres://ann:hunter2@db/x'],
      ['psql', 'postgres://ann:***@db/x'],
    ],
    [
      ['curl', 'http://h/?a=1&token=abc&b=2'],
      ['curl', 'http://h/?a=1&token=***&b=2'],
    ],
    [
      ['curl', '-H', 'Authorization: Bearer abc'],
      ['curl', '-H', 'Authorization: ***'],
    ],
    [
      ['sh', '-c', 'DB_PASSWORD=hunter2 exec app'],
      ['sh', '-c', 'DB_PASSWORD=*** exec app'],
    ],
    [
      ['app', 'ghp_0123456789abcdefghijABCD'],
      ['app', '***'],
    ],
    [
      ['app', '--password-file', '/run/secret'],
      ['app', '--password-file', '/run/secret'],
    ],
    [
      ['app', '--port=80', 'a=b'],
      ['app', '--port=80', 'a=b'],
    ],
  ])('%j remains %j', (words, masked) => expect(maskWords(words)).toEqual(masked));
});

test('J8: the value of a variable is hidden by its name, by how it looks, and within an address', () => {
  expect(maskValue('DB_PASSWORD', 'hunter2')).toBe('***');
  expect(maskValue('STRIPE', 'sk_live_0123456789')).toBe('***');
  expect(maskValue('DATABASE', 'mysql://u:p@h/d')).toBe('mysql://u:***@h/d');
  expect(maskValue('EMPTY_TOKEN', '')).toBe('');
  expect(maskValue('LOG_LEVEL', 'debug')).toBe('debug');
});

test('J8: of a value every text is masked, and one without secrets stays itself', () => {
  const plain = { reason: 'it ended', waiting: [{ id: 'db', count: 1 }], none: null };
  expect(maskAll(plain)).toBe(plain);
  expect(
    maskAll({ failure: { code: 'E', message: 'cannot reach redis://:pw@h' }, list: ['a', 'TOKEN=b'] }),
  ).toEqual({
    failure: { code: 'E', message: 'cannot reach redis://:***@h' },
    list: ['a', 'TOKEN=***'],
  });
});

test('a long text is masked in a time that grows with its length alone', () => {
  const text = `${'a=b&'.repeat(20_000)}://${'x'.repeat(50_000)}:${'='.repeat(20_000)}`;
  expect(maskText(text).length).toBe(text.length);
  const dotted = `${'a.'.repeat(100_000)}://${'eyJ-'.repeat(50_000)}`;
  expect(maskText(dotted)).toBe(dotted);
});
