import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { FakeClock } from '@hsu-master/testkit';
import { expect, test } from 'vitest';
import { type SystemdStoreOptions, systemdStore } from '../../src/index.ts';
import { folder } from '../support/place.ts';

function rig(options: Partial<SystemdStoreOptions> = {}) {
  const sent: string[] = [];
  const troubles: string[] = [];
  const answer: { error: string | null } = { error: null };
  const clock = new FakeClock();
  const store = systemdStore({
    environment: { NOTIFY_SOCKET: '/run/notify' },
    pid: 1,
    clock,
    send: (socket, message, file) => {
      if (answer.error === null)
        sent.push(`${socket} ${Buffer.from(message).toString()} ${file ?? ''}`.trim());
      return answer.error;
    },
    trouble: (reason) => void troubles.push(reason),
    ...options,
  });
  if (store === null) throw new Error('no store');
  return { store, sent, troubles, answer, clock };
}

const KEEP = 'FDSTORE=1\nFDPOLL=0\nFDNAME=';
const FORGET = 'FDSTOREREMOVE=1\nFDNAME=';

test('channels are kept and forgotten by their names', () => {
  const { store, sent } = rig();
  store.keep('/run/channels/web.1.abc.stdout');
  store.forget('/run/channels/web.1.abc.stdout');
  expect(sent).toEqual([
    `/run/notify ${KEEP}web.1.abc.stdout /run/channels/web.1.abc.stdout`,
    `/run/notify ${FORGET}web.1.abc.stdout`,
  ]);
});

test('a socket that is full is tried again, with what is the case by then', () => {
  const { store, sent, answer, clock } = rig();
  answer.error = 'EAGAIN';
  for (const number of [1, 2, 3]) store.keep(`/c/web.${number}.a.stdout`);
  store.forget('/c/web.1.a.stdout');
  answer.error = null;
  expect(sent).toEqual([]);
  clock.advance(50);
  expect(sent.map((each) => each.split('FDNAME=')[1])).toEqual([
    'web.2.a.stdout /c/web.2.a.stdout',
    'web.3.a.stdout /c/web.3.a.stdout',
    'web.1.a.stdout',
  ]);
  expect(clock.pending).toBe(0);
});

test('a FIFO that is gone is nobody’s trouble; a manager that refuses is told of once', () => {
  const { store, troubles, answer } = rig();
  answer.error = 'ENOENT';
  store.keep('/c/web.1.a.stdout');
  expect(troubles).toEqual([]);
  answer.error = 'EACCES';
  store.keep('/c/web.2.a.stdout');
  store.keep('/c/web.3.a.stdout');
  expect(troubles).toEqual(['the service manager does not keep the channels of workers: EACCES']);
});

test('without a manager, or where it keeps nothing, there is no store', () => {
  const options = { pid: 1, clock: new FakeClock(), send: () => null, trouble: () => undefined };
  expect(systemdStore({ ...options, environment: {} })).toBeNull();
  expect(systemdStore({ ...options, environment: { NOTIFY_SOCKET: '/x', FDSTORE: '0' } })).toBeNull();
});

test('what an earlier master had kept is let go once its channels are open; of those that are gone the manager is told', () => {
  const at = folder();
  execFileSync('mkfifo', [join(at, 'fifo')]);
  // The first free descriptor is not systemd's 3: names before ours stand for others.
  const fd = openSync(join(at, 'fifo'), 'r+');
  const names = Array.from({ length: fd - 3 }, () => 'http').concat('web.1.a.stdout');
  const environment = {
    NOTIFY_SOCKET: '/run/notify',
    LISTEN_PID: '7',
    LISTEN_FDS: String(names.length),
    LISTEN_FDNAMES: names.join(':'),
  };
  rig({ environment, pid: 8 }).store.settle(new Set());
  const { store, sent } = rig({ environment, pid: 7 });
  store.keep('/c/web.1.a.stdout');
  expect(sent).toEqual([]);
  store.settle(new Set(['web.2.a.stdout']));
  expect(sent).toEqual([`/run/notify ${FORGET}web.1.a.stdout`]);
  expect(() => closeSync(fd)).toThrow('EBADF');
});
