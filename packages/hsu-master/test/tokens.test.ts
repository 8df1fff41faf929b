import { chmodSync } from 'node:fs';
import { Client } from '@hsu-master/api/client';
import type { TokenView } from '@hsu-master/core';
import { describe, expect } from 'vitest';
import { TokenFile } from '../src/access/token-file.ts';
import { openDoor } from '../src/door.ts';
import { clientOf, command } from './background.ts';
import { factor, freePort, it, PATIENCE } from './drive.ts';
import { embed } from './embedded.ts';
import { GrpcClient, type GrpcError, type Message } from './grpc-client.ts';
import { ordinary } from './ordinary.ts';

const document = (port: number) => ({
  api: { listen: `127.0.0.1:${port}` },
  workers: [{ id: 'web', command: 'sleep 1000' }],
});

describe('hsu-master token', () => {
  it(
    'J6 J10: as an ordinary user: tokens are made without and with a master, used over the network, and revoked',
    async ({ stage, skip }) => {
      const options = ordinary(stage, skip);
      const port = await freePort();
      const config = stage.config(document(port));
      const hsu = async (args: readonly string[], env: Record<string, string> = {}) => {
        const launched = stage.hsu(args, { ...options, env });
        const { code } = await launched.end();
        return { code, stdout: launched.stdout, stderr: launched.stderr };
      };
      const made = await hsu(['token', 'create', 'early', '--role', 'reader', '-f', config]);
      expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^hsu_[\w-]{43}\n$/) });
      const early = { HSU_ADDRESS: `http://127.0.0.1:${port}`, HSU_TOKEN: made.stdout.trim() };
      const run = stage.hsu(['run', config], options);
      await run.started('web');
      expect(await hsu(['ls', '-q'], early)).toMatchObject({ code: 0, stdout: 'web\n' });
      expect((await hsu(['stop', 'web'], early)).code).toBe(6);
      const operator = await hsu([
        'token',
        'create',
        'op',
        '--role',
        'operator',
        '--worker',
        'web',
        '--expires',
        '1h',
        '-o',
        'json',
        '-f',
        config,
      ]);
      const { token, ...told } = JSON.parse(operator.stdout) as TokenView & { readonly token: string };
      expect(told).toMatchObject({ name: 'op', role: 'operator', workers: ['web'] });
      const file = stage.write('token', `${token}\n`);
      if (options.uid !== undefined) chmodSync(file, 0o644);
      const remote = ['--address', `http://127.0.0.1:${port}`, '--token-file', file];
      expect(await hsu(['stop', 'web', ...remote, '--wait'])).toMatchObject({ code: 0 });
      expect((await hsu(['describe', 'web', '--reveal', ...remote])).code).toBe(6);
      expect((await hsu(['token', 'list', '-f', config])).stdout).not.toContain('hsu_');
      expect((await hsu(['token', 'revoke', 'op', '-f', config])).code).toBe(0);
      expect((await hsu(['ls', ...remote])).code).toBe(6);
      const audit = await hsu(['audit', '-f', config]);
      for (const part of [
        'token.create early: done',
        'workers:order web: refused',
        'worker.stop web: done',
        'token.revoke op: done',
      ])
        expect(audit.stdout).toContain(part);
      expect(`${audit.stdout}${run.stdout}${run.stderr}`).not.toContain(token.slice(4, 20));
      expect((await run.stop()).code).toBe(0);
    },
    4 * PATIENCE,
  );

  it(
    'a token is made for a role and rights that there are, and nothing else',
    async ({ stage }) => {
      const config = stage.config({ workers: [] });
      const mistakes = [
        ['token', 'create', 'a', '-f', config],
        ['token', 'create', 'a', '--role', 'king', '-f', config],
        ['token', 'create', 'a', '--role', 'reader', '--with', 'everything', '-f', config],
        ['token', 'create', 'a', '--role', 'reader', '--expires', 'soon', '-f', config],
        ['token', 'rename', 'a', '-f', config],
      ];
      for (const args of mistakes) {
        const { code, stderr } = await command(stage, args);
        expect({ args, code, said: stderr !== '' }).toEqual({ args, code: 2, said: true });
      }
    },
    4 * PATIENCE * factor,
  );

  it(
    'J10: at --address does, says and refuses the same as in the state directory here',
    async ({ stage }) => {
      const port = await freePort();
      const config = stage.config(document(port));
      const run = stage.run(document(port));
      await run.started('web');
      const here = (...args: string[]) => command(stage, ['token', ...args, '-f', config]);
      const { stdout: root } = await here('create', 'root', '--role', 'admin', '--without', 'workers:exec');
      const address = `http://127.0.0.1:${port}`;
      const remote = ['--address', address, '--token-file', stage.write('root', root)];
      const there = (...args: string[]) => command(stage, ['token', ...args, ...remote]);

      const grant = ['--role', 'operator', '--worker', 'api-*', '--expires', '1h'];
      const ann = await there('create', 'ann', ...grant);
      const bob = await here('create', 'bob', ...grant);
      expect(ann).toMatchObject({ code: 0, stdout: expect.stringMatching(/^hsu_[\w-]{43}\n$/) });
      const still = (text: string): string =>
        text.replace(/"\w+"/, 'NAME').replace(/\d{4}-[\d-]*T[\d:.]*Z/, 'AT');
      expect(still(ann.stderr)).toBe(still(bob.stderr));
      const listed = await there('list');
      expect(listed).toMatchObject({ code: 0, stderr: '' });
      expect(listed.stdout).toMatch(/^ann: operator, workers api-\*, expires /m);
      expect(listed).toEqual(await here('list'));
      const json = await Promise.all([there('list', '-o', 'json'), here('list', '-o', 'json')]);
      expect(json[0]).toEqual(json[1]);

      const env = { HSU_ADDRESS: address, HSU_TOKEN: ann.stdout.trim() };
      // Who is named in the environment is not meant where one of this machine is named.
      expect(await command(stage, ['token', 'list', '-f', config], env)).toEqual(listed);
      const refused = await command(stage, ['token', 'list'], env);
      expect(refused).toMatchObject({ code: 6, stdout: '' });
      expect(await there('create', 'more', '--role', 'admin')).toMatchObject({ code: 6, stdout: '' });
      for (const wrong of [
        ['create', 'ann', '--role', 'reader'],
        ['create', 'x', '--role', 'reader', '--expires', '99999999d'],
        ['revoke', 'nobody'],
      ]) {
        const [far, near] = await Promise.all([there(...wrong), here(...wrong)]);
        expect({ wrong, ...far }).toMatchObject({ wrong, code: 2, stdout: '' });
        expect(far).toEqual(near);
      }

      expect(await there('revoke', 'ann')).toEqual({
        ...(await here('revoke', 'bob')),
        stderr: 'The token "ann" is refused from now on.\n',
      });
      expect((await command(stage, ['token', 'list'], env)).code).toBe(6);
      const audit = (await clientOf(stage).audit()).map(({ by, from, action, on, result }) => {
        return `${by.replace(/\d+/, 'N')} ${from} ${action} ${on}: ${result}`;
      });
      expect(audit).toEqual(
        expect.arrayContaining([
          'root tcp 127.0.0.1 token.create ann: done',
          'uid N command token.create bob: done',
          'ann tcp 127.0.0.1 tokens:manage master: refused',
          'root tcp 127.0.0.1 workers:exec master: refused',
          'root tcp 127.0.0.1 token.revoke ann: done',
          'uid N command token.revoke bob: done',
        ]),
      );
      expect(JSON.stringify([audit, run.stdout, run.stderr])).not.toContain(ann.stdout.slice(4, 20));

      expect((await run.stop()).code).toBe(0);
      const [near, far] = await Promise.all([here('list'), there('list')]);
      expect([near.stdout, far.code]).toEqual([expect.stringMatching(/^root: /), 3]);
    },
    4 * PATIENCE * factor,
  );
});

const iso = (at: Message | null): string | null =>
  at === null ? null : new Date(at['seconds'] * 1000 + at['nanos'] / 1e6).toISOString();

/** A message as REST tells the same. */
const tokenOf = ({ grant, createdAt, expiresAt, ...rest }: Message): object => ({
  ...rest,
  ...grant,
  createdAt: iso(createdAt),
  expiresAt: iso(expiresAt),
});

describe('hsu.v1.TokenService', () => {
  it('J10: makes, tells and revokes as REST does, refuses the same, and both are written down', async ({
    stage,
  }) => {
    const config = { api: { listen: '127.0.0.1:0' }, master: { port: 0 }, workers: [] };
    await using embedded = embed(stage, [], { config });
    const door = openDoor(embedded.master);
    await door.open();
    await embedded.event('api.listening', null, 2);
    const at = (protocol: string): string => {
      const told = embedded.of('api.listening').map(({ payload }) => payload.address);
      return told.find((address) => address.startsWith(`${protocol}://`)) ?? '';
    };
    const { stateDirectory } = embedded.master.places;
    const kept = new TokenFile(stateDirectory);
    const both = async (name: string, role: 'admin' | 'reader') => {
      const grant = { role, plus: [], minus: ['workers:exec'], workers: [], namespaces: [] } as const;
      const { text: token } = await kept.create({ name, ...grant, expires: null }, Date.now(), null);
      const grpc = new GrpcClient(at('grpc').slice('grpc://'.length), { token });
      return { grpc, rest: new Client({ origin: at('http'), token }) };
    };
    const admin = await both('ann', 'admin');
    const reader = await both('rob', 'reader');
    const ask = (who: typeof admin, method: string, question: object = {}) =>
      who.grpc.ask('hsu.v1.TokenService', method, question);
    const listed = async () => ((await ask(admin, 'ListTokens'))['tokens'] as Message[]).map(tokenOf);

    const grant = { role: 'operator', minus: ['workers:signal'], workers: ['web'], namespaces: ['a*'] };
    const expires = { seconds: 3600, nanos: 0 };
    const made = await ask(admin, 'CreateToken', { name: 'bob', grant, expires });
    expect(made['text']).toMatch(/^hsu_[\w-]{43}$/);
    const { token: _text, ...others } = await admin.rest.createToken({
      name: 'eve',
      ...grant,
      expires: '1h',
    } as never);
    const seen = await admin.rest.accessTokens();
    expect(await listed()).toEqual(seen);
    expect(seen.slice(2)).toEqual([tokenOf(made['token']), others]);
    const lasts = seen.map((one) => one.expiresAt && Date.parse(one.expiresAt) - Date.parse(one.createdAt));
    expect(lasts).toEqual([null, null, 3_600_000, 3_600_000]);

    const refusal = (error: GrpcError & { readonly status?: number }): unknown =>
      error.status === undefined ? error.metadata.get('hsu-code')[0] : error.code;
    const refused = (asked: Promise<unknown>): Promise<unknown> => asked.then(() => null, refusal);
    const more = { role: 'admin' } as const;
    const pairs: (readonly [Promise<unknown>, Promise<unknown>])[] = [
      [ask(reader, 'ListTokens'), reader.rest.accessTokens()],
      [
        ask(reader, 'CreateToken', { name: 'x', grant }),
        reader.rest.createToken({ name: 'x', role: 'reader' }),
      ],
      [ask(reader, 'RevokeToken', { token: 'bob' }), reader.rest.revokeToken('bob')],
      [ask(admin, 'CreateToken', { name: 'x', grant: more }), admin.rest.createToken({ name: 'x', ...more })],
      [ask(admin, 'RevokeToken', { token: 'nobody' }), admin.rest.revokeToken('nobody')],
    ];
    const said = await Promise.all(pairs.map((pair) => Promise.all(pair.map(refused))));
    const twice = (code: string): readonly string[] => [code, code];
    expect(said).toEqual([...Array.from({ length: 4 }, () => twice('E_FORBIDDEN')), twice('E_USAGE')]);

    expect(tokenOf(await ask(admin, 'RevokeToken', { token: 'eve' }))).toEqual(others);
    await admin.rest.revokeToken('bob');
    expect(await listed()).toEqual(seen.slice(0, 2));
    const audit = (await admin.rest.audit()).map(
      ({ by, from, action, on, result }) => `${by} ${from.split(' ')[0]} ${action} ${on} ${result}`,
    );
    for (const way of ['grpc', 'tcp']) {
      const mine = audit.filter((line) => line.split(' ')[1] === way);
      expect(mine).toEqual(
        expect.arrayContaining([
          `ann ${way} token.create ${way === 'grpc' ? 'bob' : 'eve'} done`,
          `ann ${way} workers:exec master refused`,
          `ann ${way} token.revoke ${way === 'grpc' ? 'eve' : 'bob'} done`,
        ]),
      );
      expect(mine.filter((line) => line === `rob ${way} tokens:manage master refused`)).toHaveLength(3);
    }
    expect(JSON.stringify([audit, seen, embedded.events])).not.toContain(made['text'].slice(4, 20));
    for (const { grpc, rest } of [admin, reader]) {
      grpc.close();
      rest.close();
    }
    await door.close(null);
  });
});
