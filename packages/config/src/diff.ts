import { isSame, type SettingChange } from '@hsu-master/core';
import type { LoadedConfig } from './load.ts';

/** What of the master’s own settings is read whenever it counts. */
const LIVE: ReadonlySet<string> = new Set(['master.force_shutdown_timeout', 'master.on_master_exit']);

/** Whether another configuration has other settings of the master itself, and when they come into effect. */
export function changedSettings(before: LoadedConfig, after: LoadedConfig): readonly SettingChange[] {
  const settings = (config: LoadedConfig): Readonly<Record<string, unknown>> => ({
    'master.force_shutdown_timeout': config.master.forceShutdownTimeout,
    'master.on_master_exit': config.master.onExit,
    'master.log_level': config.master.logLevel,
    api: config.api,
    'master.port': config.grpc,
    'log_collection.keeping': config.logs.keeping,
    'log_collection.targets': config.logs.targets,
    'log_collection.alerts': config.logs.alerts,
  });
  const [old, fresh] = [settings(before), settings(after)];
  return Object.keys(fresh)
    .filter((path) => !isSame(old[path], fresh[path]))
    .map((path) => ({ path, effective: LIVE.has(path) ? 'live' : 'next-start' }));
}
