import { fakeHarness } from '../src/contract/harness.ts';
import { describeHostContract } from '../src/contract/host-contract.ts';

describeHostContract(
  'fake',
  {
    gate: true,
    findsSessions: true,
    findsWiped: true,
    follows: true,
    attaches: true,
    signals: true,
    wakesStopped: true,
  },
  fakeHarness,
);
