import { mkdirSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { it, type Launched, type Stage } from './drive.ts';

interface Setting {
  readonly setting: string;
  readonly value: string;
  readonly origin: string;
}

async function told(launched: Launched): Promise<string> {
  expect(await launched.end(), launched.stderr).toEqual({ code: 0, signal: null });
  return launched.stdout;
}

/** Where each setting comes from, as `config show -o json` tells it in a folder. */
async function origins(
  stage: Stage,
  args: readonly string[],
  options: Parameters<Stage['hsu']>[1] = {},
): Promise<Readonly<Record<string, string>>> {
  const text = await told(stage.hsu(['config', 'show', '-o', 'json', ...args], options));
  const { settings } = JSON.parse(text) as { readonly settings: readonly Setting[] };
  return Object.fromEntries(settings.map(({ setting, origin }) => [setting, origin]));
}

const FILE = [
  'master:',
  '  force_shutdown_timeout: 30s',
  'api:',
  '  listen: 127.0.0.1:0',
  '  allowed_hosts: [a.example, b.example]',
  'workers: [{id: a, command: sleep 5}]',
  '',
].join('\n');

describe.concurrent('config show', () => {
  it('an option goes before a variable, that before what is found, that before the default', async ({
    stage,
  }) => {
    stage.write('hsu-master.yaml', FILE);
    mkdirSync(stage.path('below', 'it'), { recursive: true });
    const cwd = stage.path('below', 'it');
    expect(await origins(stage, [], { cwd })).toEqual({
      file: 'found above',
      'state directory': 'HSU_HOME',
      'run directory': 'HSU_HOME',
      'log directory': 'HSU_HOME',
      containment: 'default',
      'master.force_shutdown_timeout': '../../hsu-master.yaml:2',
      'api.listen': '../../hsu-master.yaml:4',
      'api.allowed_hosts': '../../hsu-master.yaml:5',
    });
    const flags = ['--state-dir', 'state', '--containment', 'off', '-f', stage.config([])];
    expect(await origins(stage, flags, { cwd, env: { HSU_SOCKET: '/s' } })).toEqual({
      file: '--file',
      'state directory': '--state-dir',
      'run directory': '--state-dir',
      'log directory': '--state-dir',
      containment: '--containment',
      socket: 'HSU_SOCKET',
    });
    const env = { HSU_HOME: undefined, HSU_TOKEN: 'hsu_secret' };
    const bare = await told(stage.hsu(['config', 'show', '--origin', stage.config([])], { env }));
    expect(bare).toMatch(/^state directory +(?:default|XDG_STATE_HOME) +\//m);
    expect(bare).toMatch(/^token +HSU_TOKEN +\*\*\*$/m);
  });

  it('a file that is not valid has no settings, exit 2', async ({ stage }) => {
    const wrong = stage.hsu(['config', 'show', stage.config('workers: [{id: a}]')]);
    expect((await wrong.end()).code).toBe(2);
    expect(wrong.stderr).toMatch(/config\.yaml:1:\d+: error/);
  });

  it('commands about a file take that of the project, from below it too', async ({ stage }) => {
    stage.write('hsu-master.yaml', FILE);
    mkdirSync(stage.path('below'));
    const options = { cwd: stage.path('below') };
    expect(await told(stage.hsu(['validate'], options))).toContain(`${stage.path('hsu-master.yaml')}: valid`);
    expect(await told(stage.hsu(['limits', 'explain'], options))).toMatch(/cgroup/);
    const none = stage.hsu(['validate'], { cwd: '/' });
    expect((await none.end()).code).toBe(2);
    expect(none.stderr).toMatch(
      /^hsu-master: validate needs a configuration file: hsu-master validate config/,
    );
  });
});
