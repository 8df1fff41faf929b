import { isSame, type SettingChange } from '@hsu-master/core';
import type { LoadedConfig } from './load.ts';

/** What of the master’s own settings is read whenever it counts. */
const LIVE: ReadonlySet<string> = new Set([
  'master.force_shutdown_timeout',
  'master.on_master_exit',
  'log_collection.targets',
  'log_collection.alerts',
]);

/** Whether another configuration has other settings of the master itself, and when they come into effect. */
export function changedSettings(before: LoadedConfig, after: LoadedConfig): readonly SettingChange[] {
  const settings = (config: LoadedConfig): Readonly<Record<string, unknown>> => ({
    'master.force_shutdown_timeout': config.master.forceShutdownTimeout,
    'master.on_master_exit': config.master.onExit,
    'master.log_level': config.master.logLevel,
    api: config.api,
    'master.port': config.grpc,
    'log_collection.keeping': config.logs.keeping,
    'log_collection.targets': config.logs.targets.map(({ name, sources }) => [name, sources]),
    'log_collection.alerts': config.logs.alerts,
  });
  const [old, fresh] = [settings(before), settings(after)];
  const known = new Map(before.logs.targets.map(({ name, written }) => [name, written]));
  // A target that goes on with other settings would have to be closed and opened at the same time.
  const others = after.logs.targets.filter(
    ({ name, written }) => known.has(name) && !isSame(known.get(name), written),
  );
  return [
    ...Object.keys(fresh)
      .filter((path) => !isSame(old[path], fresh[path]))
      .map((path): SettingChange => ({ path, effective: LIVE.has(path) ? 'live' : 'next-start' })),
    ...others.map(
      ({ name }): SettingChange => ({ path: `log_collection: ${name}`, effective: 'next-start' }),
    ),
  ];
}
