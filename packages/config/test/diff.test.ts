import { expect, test } from 'vitest';
import { changedSettings, loadConfig } from '../src/index.ts';

function load(text: string) {
  const result = loadConfig(
    { file: '/etc/x.yaml', text },
    { env: {}, cwd: '/', logDirectory: '/log', exists: () => true },
  );
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.config;
}

const targets = (...written: readonly object[]) =>
  `workers: [{ id: a, command: a }]\nlog_collection: ${JSON.stringify({ enabled: true, global_aggregation: { enabled: true, targets: written } })}\n`;
const FILE = { type: 'file', path: '/log/all.log' };

test('what of the master is otherwise, and from when on', () => {
  const plain = load('workers: [{ id: a, command: a }]\n');
  expect(changedSettings(plain, load('workers: []\n'))).toEqual([]);
  const slow = load('workers: []\nmaster: { force_shutdown_timeout: 1m, on_master_exit: leave }\n');
  expect(changedSettings(plain, slow)).toEqual([
    { path: 'master.force_shutdown_timeout', effective: 'live' },
    { path: 'master.on_master_exit', effective: 'live' },
  ]);
});

test('a target comes and goes at once; one that stays keeps its settings until the next start', () => {
  const [none, one] = [load(targets()), load(targets(FILE))];
  expect(changedSettings(none, one)).toEqual([{ path: 'log_collection.targets', effective: 'live' }]);
  const other = load(targets({ ...FILE, format: 'json' }));
  const [change, ...more] = changedSettings(one, other);
  expect(change).toMatchObject({ effective: 'next-start' });
  expect(change?.path).toContain('/log/all.log');
  expect(more).toEqual([]);
});
