import { loadNative } from '@hsu-master/native';
import { creaturePath } from '@hsu-master/testkit';
import { describeHostContract, realHarness } from '@hsu-master/testkit/contract';
import { createNativeHost } from '../src/host/native.ts';
import { createNodeHost } from '../src/host/node.ts';
import { realClock } from '../src/real-clock.ts';

const clock = realClock();
const environment = process.env;

creaturePath();

const loaded = loadNative({});
const features = {
  gate: true,
  findsSessions: true,
  findsWiped: false,
  follows: true,
  attaches: true,
  signals: true,
  wakesStopped: true,
} as const;

if (loaded.ok) {
  const { native } = loaded;
  describeHostContract('native, orphans left to init', features, () =>
    realHarness(createNativeHost(native, { environment, reapOrphans: false, clock })),
  );
  // Only one host of a process can adopt. It reaps what the suite starts by other means as well; Node lets that pass.
  let made = 0;
  describeHostContract('native, orphans adopted', features, () => {
    made += 1;
    return realHarness(createNativeHost(native, { environment, reapOrphans: made === 1, clock }));
  });
}

describeHostContract('node', { ...features, gate: false }, () =>
  realHarness(createNodeHost({ environment, clock })),
);
