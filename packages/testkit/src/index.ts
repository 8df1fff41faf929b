export { altered } from './altered.ts';
export { Chance } from './chance.ts';
export { FakeClock, lateClock } from './fake/clock.ts';
export { FakeControl } from './fake/control.ts';
export { LINE, NOW, view } from './fake/control-values.ts';
export { FakeHost, type FakePrograms, programsByName } from './fake/host.ts';
export { FakeJournal } from './fake/journal.ts';
export { FakeCollector, KeptOutput } from './fake/output.ts';
export {
  type FakeCircumstances,
  type FakeProgram,
  type FakeWriting,
  fakeExit,
  fakeProgram,
} from './fake/program.ts';
export { type FakeProcess, FakeSystem, type FakeTree, type SystemNews } from './fake/system.ts';
export { PROPERTIES, type Property, type Violation } from './simulation/check.ts';
export { type HeardStory, heardStory } from './simulation/heard.ts';
export { type Simulation, simulate } from './simulation/simulate.ts';
export type { MakeSupervisor, SimulatedParts, SimulatedSupervisor } from './simulation/supervisor.ts';
export { attachRequest, limitResponse, limitsSpec, restartRule, workerSpec } from './specs.ts';
export { creature, creaturePath } from './zoo/creature.ts';
export * as zoo from './zoo/zoo.ts';
