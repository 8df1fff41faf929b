export type { MasterConfig } from './config.ts';
export { describeConfig } from './describe.ts';
export { type ExplainedKey, explainKey, type KeyAnswer } from './explain-key.ts';
export { type ConfigIssue, formatIssue } from './issue.ts';
export { type LoadedConfig, type LoadResult, loadConfig } from './load.ts';
export { type FileRead, readConfigFile } from './read.ts';
export type { LogLevel, OnMasterExit } from './schema/root.ts';
export type { Surroundings } from './surroundings.ts';
export type { CheckTarget, LogSource, LogsConfig, LogTarget } from './to-targets.ts';
