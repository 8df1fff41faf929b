import {
  appendFileSync,
  chmodSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Deed, type EventDraft, type Grant, HsuError, noAudit } from '@hsu-master/core';
import { FakeClock } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { appendToAudit, auditPathOf, openAuditFile } from '../src/access/audit-file.ts';
import { TokenGate } from '../src/access/gate.ts';
import { isHostAllowed, isOriginAllowed, tokenOf } from '../src/access/requests.ts';
import { TokenFile } from '../src/access/token-file.ts';
import { tokensOf } from '../src/access/tokens.ts';
import { eventually, it, type Stage } from './drive.ts';

const FROM = 'tcp 10.0.0.3';
const MASTER = { kind: 'master' } as const;

function wish(name: string, differs: Partial<Grant> & { readonly expires?: number } = {}) {
  const grant = { role: 'reader', plus: [], minus: [], workers: [], namespaces: [] } as const;
  return { name, ...grant, expires: null, ...differs };
}

/** A gate of a stage, its tokens, and what it said. */
function gateOf(stage: Stage, perSecond = 0) {
  const clock = new FakeClock();
  const tokens = new TokenFile(stage.folder);
  const deeds: Deed[] = [];
  const events: EventDraft[] = [];
  const audit = { ...noAudit, record: (deed: Deed) => deeds.push(deed) };
  const gate = new TokenGate({ tokens, audit, clock, perSecond, tell: (event) => events.push(event) });
  const code = (token: string | null, from = FROM): string => {
    try {
      return gate.admit({ token, from }).name;
    } catch (error) {
      return error instanceof HsuError ? error.code : String(error);
    }
  };
  return { clock, tokens, deeds, events, gate, code };
}

describe('tokens', () => {
  it('J10: who has one that ends makes none that ends later', async ({ stage }) => {
    const { clock, tokens: file, gate } = gateOf(stage);
    const tokens = tokensOf(file, noAudit, clock);
    const { text } = await file.create(
      wish('ann', { role: 'admin', expires: 60_000 }),
      clock.wallNow(),
      null,
    );
    const ann = gate.admit({ token: text, from: FROM });
    const late = [null, 60_001].map((expires) => tokens.create({ ...wish('bob'), expires }, ann));
    for (const made of late) await expect(made).rejects.toMatchObject({ code: 'E_FORBIDDEN' });
    await tokens.create(wish('cat', { expires: 60_000 }), ann);
    await tokens.create(wish('dan'), { kind: 'root', name: 'uid 0', from: 'unix' });
    expect(tokens.list().map(({ name }) => name)).toEqual(['ann', 'cat', 'dan']);
  });

  it('J5: are kept as digests in a file of mode 0600, are told once, and are different each time', async ({
    stage,
  }) => {
    const tokens = new TokenFile(stage.folder);
    const one = await tokens.create(wish('ann'), 1, null);
    const two = await tokens.create(wish('bob'), 1, null);
    expect(one.text).toMatch(/^hsu_[\w-]{43}$/);
    expect(one.text).not.toBe(two.text);
    const text = readFileSync(tokens.path, 'utf8');
    expect(text).not.toContain(one.text.slice(4, 16));
    expect(text).not.toContain(one.text.slice(-6));
    expect(statSync(tokens.path).mode & 0o777).toBe(0o600);
    expect(statSync(tokens.folder).mode & 0o777).toBe(0o700);
    expect(tokens.find(one.text)?.name).toBe('ann');
    expect(tokens.find(`${one.text}x`)).toBeNull();
    expect(readdirSync(tokens.folder)).toEqual(['tokens.json']);
  });

  it('a name is taken until its token is revoked or has expired', async ({ stage }) => {
    const tokens = new TokenFile(stage.folder);
    await tokens.create(wish('ann', { expires: 9 }), 1, null);
    await expect(tokens.create(wish('ann'), 5, null)).rejects.toThrow('there is a token "ann" already');
    const next = await tokens.create(wish('ann'), 11, null);
    await tokens.revoke('ann', null);
    expect(tokens.find(next.text)).toBeNull();
    await expect(tokens.revoke('ann', null)).rejects.toThrow('there is no token "ann"');
    await expect(tokens.create(wish('../x'), 1, null)).rejects.toThrow('is no name for a token');
  });

  it('one that would end before it begins, or at no moment of the calendar, is not made', async ({
    stage,
  }) => {
    const tokens = new TokenFile(stage.folder);
    for (const expires of [0, -1, Number.NaN, 8.64e15, Number.MAX_VALUE]) {
      const made = tokens.create(wish('ann', { expires }), Date.now(), null);
      await expect(made).rejects.toMatchObject({ code: 'E_USAGE' });
    }
    expect(tokens.all()).toEqual([]);
  });

  it('a file that is damaged, or that others may write, lets nobody in', async ({ stage }) => {
    const { tokens, code, events, gate } = gateOf(stage);
    const { text } = await tokens.create(wish('ann'), 1, null);
    expect(code(text)).toBe('ann');
    chmodSync(tokens.path, 0o666);
    expect(code(text)).toBe('E_UNAUTHENTICATED');
    chmodSync(tokens.path, 0o600);
    expect(code(text)).toBe('ann');
    writeFileSync(tokens.path, '{"tokens": [{"name": "eve"}]}');
    expect(code(text)).toBe('E_UNAUTHENTICATED');
    expect(events.map(({ type }) => type)).toEqual(['api.tokens-refused', 'api.tokens-refused']);
    await expect(tokens.create(wish('bob'), 1, null)).rejects.toMatchObject({ code: 'E_STATE' });
    gate.close();
  });
});

describe('the gate', () => {
  it('J5: after five wrong tokens an address is locked out, longer each time, and it is written down', async ({
    stage,
  }) => {
    const { clock, tokens, deeds, events, code } = gateOf(stage);
    const { text } = await tokens.create(wish('ann'), 1, null);
    for (let turn = 0; turn < 4; turn += 1) expect(code('hsu_wrong')).toBe('E_UNAUTHENTICATED');
    expect(events).toEqual([]);
    expect(code('hsu_wrong')).toBe('E_UNAUTHENTICATED');
    expect(events.map(({ type }) => type)).toEqual(['api.locked-out']);
    // Not even the right one: it would tell a guesser which it is.
    expect(code(text)).toBe('E_TOO_MANY');
    expect(code(null)).toBe('E_TOO_MANY');
    expect(code(text, 'tcp 10.0.0.4')).toBe('ann');
    clock.advance(2001);
    expect(code('hsu_wrong')).toBe('E_UNAUTHENTICATED');
    clock.advance(2001);
    expect(code(text)).toBe('E_TOO_MANY');
    clock.advance(2001);
    expect(code(text)).toBe('ann');
    expect(deeds.map(({ action, result }) => `${action} ${result}`)).toEqual([
      ...Array<string>(4).fill('login refused'),
      'login refused',
      'lock-out done',
      'login refused',
      'lock-out done',
    ]);
    expect(JSON.stringify([deeds, events])).not.toContain('hsu_');
  });

  it('J5: who was let in from there before goes on, so that nobody locks out those behind the same proxy', async ({
    stage,
  }) => {
    const { tokens, code } = gateOf(stage);
    const { text } = await tokens.create(wish('ann'), 1, null);
    expect(code(text)).toBe('ann');
    for (let turn = 0; turn < 8; turn += 1) code('hsu_wrong');
    expect(code('hsu_wrong')).toBe('E_TOO_MANY');
    expect(code(text)).toBe('ann');
  });

  it('J5: the 2^64 addresses of one network of version 6 count as one', async ({ stage }) => {
    const { code } = gateOf(stage);
    for (let turn = 0; turn < 5; turn += 1) code('hsu_wrong', `tcp 2001:db8::${turn}:1`);
    expect(code('hsu_wrong', 'tcp 2001:db8:0:0:ffff::9')).toBe('E_TOO_MANY');
    expect(code('hsu_wrong', 'tcp 2001:db8:0:1::1')).toBe('E_UNAUTHENTICATED');
  });

  it('lets so many requests a second through for each token, and those without one by address', async ({
    stage,
  }) => {
    const { clock, tokens, code } = gateOf(stage, 2);
    const { text } = await tokens.create(wish('ann'), 1, null);
    const other = await tokens.create(wish('bob'), 1, null);
    for (let turn = 0; turn < 4; turn += 1) expect(code(text)).toBe('ann');
    expect(code(text)).toBe('E_TOO_MANY');
    expect(code(other.text)).toBe('bob');
    clock.advance(500);
    expect(code(text)).toBe('ann');
    expect(code(text)).toBe('E_TOO_MANY');
    for (let turn = 0; turn < 4; turn += 1) expect(code(null)).toBe('E_UNAUTHENTICATED');
    expect(code(null)).toBe('E_TOO_MANY');
  });

  it('a token that was revoked or has expired has no rights from then on, and who watches hears of it', async ({
    stage,
  }) => {
    const { clock, tokens, gate, code } = gateOf(stage);
    const short = await tokens.create(wish('ann', { expires: 1000 }), clock.wallNow(), null);
    const long = await tokens.create(wish('bob'), 1, null);
    const heard: string[] = [];
    const [ann, bob] = [short, long].map(({ text }) => gate.admit({ token: text, from: FROM }));
    if (ann === undefined || bob === undefined) throw new Error('nobody was let in');
    gate.watch(ann, () => heard.push('ann'));
    gate.watch(bob, () => heard.push('bob'));
    expect(gate.authorize(ann, 'workers:read', MASTER)).toBeNull();
    expect(gate.authorize(ann, 'workers:order', MASTER)?.code).toBe('E_FORBIDDEN');
    clock.advance(1001);
    expect(heard).toEqual(['ann']);
    expect(gate.authorize(ann, 'workers:read', MASTER)?.code).toBe('E_FORBIDDEN');
    expect(code(short.text)).toBe('E_UNAUTHENTICATED');
    // By another process, as it were.
    await new TokenFile(stage.folder).revoke('bob', null);
    expect(code(long.text)).toBe('E_UNAUTHENTICATED');
    expect(gate.authorize(bob, 'workers:read', MASTER)?.code).toBe('E_FORBIDDEN');
    await eventually(() => heard.includes('bob'));
    // A new one of that name gives nothing to who came by the old one.
    await tokens.create(wish('bob'), 1, null);
    expect(gate.authorize(bob, 'workers:read', MASTER)?.code).toBe('E_FORBIDDEN');
    gate.close();
  });
});

describe('J3: what requests are answered', () => {
  it('those to addresses, to this machine and to names that are allowed', () => {
    const allowed = ['ops.example.com', '*.internal'];
    for (const host of [
      '127.0.0.1:1',
      '10.0.0.3',
      '[::1]:80',
      'localhost:7400',
      'a.localhost',
      'OPS.example.com:1',
      'x.internal',
    ])
      expect({ host, is: isHostAllowed(host, allowed) }).toEqual({ host, is: true });
    for (const host of [
      undefined,
      '',
      ':80',
      'evil.com',
      'evil.com:7400',
      'ops.example.com.evil.com',
      'internal',
      '127.0.0.1.evil.com',
      'localhost.evil.com',
      '[evil]',
      'a b',
    ])
      expect({ host, is: isHostAllowed(host, allowed) }).toEqual({ host, is: false });
  });

  it('those of no page, of its own pages and of origins that are allowed', () => {
    const config = { tls: null, allowedOrigins: ['https://ops.example.com'] };
    const from = (origin?: string) =>
      isOriginAllowed({ host: '127.0.0.1:1', ...(origin === undefined ? {} : { origin }) }, config);
    expect([from(), from('http://127.0.0.1:1'), from('https://ops.example.com')]).toEqual([true, true, true]);
    expect([
      from('null'),
      from('http://evil.com'),
      from('https://127.0.0.1:1'),
      from('http://127.0.0.1:2'),
    ]).toEqual([false, false, false, false]);
  });

  it('the token stands in a header, never in the address', () => {
    expect(tokenOf({ headers: { authorization: 'Bearer abc' } })).toBe('abc');
    expect(tokenOf({ headers: { authorization: 'Basic abc' } })).toBeNull();
    expect(tokenOf({ headers: { 'sec-websocket-protocol': 'hsu.v1, bearer.abc' } })).toBe('abc');
    expect(tokenOf({ headers: {} })).toBeNull();
  });
});

describe('the audit', () => {
  const by = { name: 'ann', from: FROM };
  const deed = (on: string): Deed => ({ by, action: 'worker.stop', on, result: 'done', why: null });

  it('is written line by line in a file of mode 0600, and read from the end', async ({ stage }) => {
    const clock = new FakeClock();
    const audit = openAuditFile({ stateDirectory: stage.folder, clock, tell: () => {} });
    audit.record(deed('a'));
    audit.record({ ...deed('b'), action: 'login' });
    appendToAudit(stage.folder, clock.wallNow(), deed('c'));
    audit.record(deed('d'));
    const read = async (query = {}) =>
      (await audit.read({ limit: 10, action: null, by: null, ...query })).map(({ on }) => on);
    expect((await read()).sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(await read({ action: 'login' })).toEqual(['b']);
    expect(await read({ limit: 1 })).toEqual(['d']);
    expect(await read({ by: 'eve' })).toEqual([]);
    expect(statSync(auditPathOf(stage.folder)).mode & 0o777).toBe(0o600);
    appendFileSync(auditPathOf(stage.folder), '{"at":"cut o');
    expect(await read({ limit: 1 })).toEqual(['d']);
    await audit.close();
  });

  it('is put aside by size, and no more than five files are kept', async ({ stage }) => {
    const audit = openAuditFile({
      stateDirectory: stage.folder,
      clock: new FakeClock(),
      tell: () => {},
      largest: 300,
    });
    for (let turn = 0; turn < 30; turn += 1) {
      audit.record(deed(`w${turn}`));
      await audit.read({ limit: 1, action: null, by: null });
    }
    const files = readdirSync(join(stage.folder, 'audit')).sort();
    expect(files.length).toBeLessThanOrEqual(5);
    expect(files).toContain('audit.4.jsonl');
    const left = await audit.read({ limit: 100, action: null, by: null });
    expect(left.at(-1)?.on).toBe('w29');
    expect(left.length).toBeLessThan(30);
    await audit.close();
  });

  it('that cannot be written stops nobody, is told once, and says what is missing when it can be again', async ({
    stage,
  }) => {
    const events: EventDraft[] = [];
    const folder = join(stage.folder, 'audit');
    writeFileSync(folder, 'in the way');
    const audit = openAuditFile({
      stateDirectory: stage.folder,
      clock: new FakeClock(),
      tell: (event) => events.push(event),
    });
    audit.record(deed('a'));
    await audit.read({ limit: 1, action: null, by: null });
    audit.record(deed('b'));
    await audit.read({ limit: 1, action: null, by: null });
    expect(events).toMatchObject([{ type: 'audit.failed', payload: { file: auditPathOf(stage.folder) } }]);
    rmSync(folder);
    audit.record(deed('c'));
    const found = await audit.read({ limit: 10, action: null, by: null });
    expect(found.map(({ action, why }) => `${action} ${why}`)).toEqual([
      'audit.lost 2 entries could not be written',
      'worker.stop null',
    ]);
    await audit.close();
  });
});
