// A master with containment. `killed`: starts workers, says who they are, and waits to be killed. `ordinary`: says what is
// enforced for somebody who may make no cgroup, and tries it. Second argument: the instance.

import type { LimitReport } from '@hsu-master/core';
import { loadNative } from '@hsu-master/native';
import { creature } from '@hsu-master/testkit';
import { acquireContainment } from '../../src/host/cgroup/acquire.ts';
import { createNativeHost } from '../../src/host/native.ts';
import { realClock } from '../../src/real-clock.ts';
import { Watched } from '../host-watch.ts';
import { limitsOf, MiB } from '../limit-settings.ts';

const [, , kind, instance = ''] = process.argv;
const loaded = loadNative({});
if (!loaded.ok) throw new Error(loaded.reason);
const containment = acquireContainment({ instance, mayMove: true, mayAskSystemd: false });
const environment = { PATH: process.env.PATH };
const host = createNativeHost(loaded.native, {
  environment,
  reapOrphans: true,
  clock: realClock(),
  containment,
});
const hidden = ['session', 'orphan', '{', 'session', 'wipe', 'ignore', 'TERM', 'print', 'out', 'sleep', '}'];
const escaping = creature('orphan', '{', ...hidden, '}', 'sleep');

async function killed(): Promise<unknown> {
  const frozen = new Watched(host, escaping, { workerId: 'frozen' });
  const throttled = new Watched(host, creature('print', 'out', 'spin'), { workerId: 'throttled' });
  const limits = limitsOf({ 'memory.max_rss': 64 * MiB, 'process.max_processes': 16 });
  const limited = new Watched(host, escaping, { workerId: 'limited', limits });
  const all = [frozen, throttled, limited];
  for (const one of all) {
    await one.says('out');
    await one.first('spawned');
  }
  frozen.run.freeze(true);
  throttled.run.throttle(10);
  return all.flatMap(({ run }) => run.members());
}

async function ordinary(): Promise<unknown> {
  const limits = limitsOf({
    'memory.max_rss': 64 * MiB,
    'memory.max_virtual': 512 * MiB,
    'cpu.max_percent': 50,
    'cpu.nice': 5,
    'process.max_processes': 16,
    'process.max_file_descriptors': 20,
  });
  const watched = new Watched(host, creature('opens', '40', 'spin'), { limits });
  await watched.says('EMFILE');
  await watched.first('spawned');
  const usage = { pss: false, connections: false, pressure: false, descriptors: true, peak: true };
  const [sample] = host.sample([watched.run], usage);
  const reports = watched.run.limitReports();
  const frozen = watched.run.freeze(true);
  watched.run.signalTree('SIGTERM');
  await watched.over();
  return {
    why: containment.facilities.missing.get(''),
    capabilities: host.capabilities().filter(({ feature }) => /^(cgroup|kill|freeze)/.test(feature)),
    statuses: Object.fromEntries(reports.map(({ limit, status }: LimitReport) => [limit, status])),
    said: watched.output.text('stdout'),
    processes: sample?.processes,
    frozen,
  };
}

process.stdout.write(`${JSON.stringify(await (kind === 'killed' ? killed() : ordinary()))}\n`);
if (kind === 'ordinary') host.close();
