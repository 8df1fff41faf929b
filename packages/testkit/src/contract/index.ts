export { fakeHarness, type HostFeatures, type HostHarness, realHarness } from './harness.ts';
export { describeHostContract } from './host-contract.ts';
