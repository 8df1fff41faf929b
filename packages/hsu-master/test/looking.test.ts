import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMANDS } from '@hsu-master/cli';
import { describe, expect } from 'vitest';
import { OWN_COMMANDS } from '../src/own-commands.ts';
import { command } from './background.ts';
import { it } from './drive.ts';

const TERMINAL = ['python3', join(import.meta.dirname, 'programs', 'terminal.py')];

describe.concurrent('commands that look', () => {
  it('top: sorts by keys, follows the size of its window, and leaves the terminal as it was', async ({
    stage,
  }) => {
    const workers = ['web', 'db'].map((id) => ({ id, command: 'sleep 1000' }));
    await command(stage, ['up', '-f', stage.config(workers)]);
    const viewer = stage.launch([...TERMINAL, '100', process.execPath, stage.bin, 'top']);
    await viewer.line(/NAME .*MEM/);
    viewer.type('n');
    await viewer.line(/sorted by name/);
    viewer.type(`${String.fromCharCode(0)}40\n`);
    await viewer.line(/^NAME(?!.*PID).*\p{Cc}\[K/u);
    viewer.type('q');
    expect(await viewer.end()).toEqual({ code: 0, signal: null });
    expect(viewer.stdout.startsWith('\x1b[?1049h')).toBe(true);
    expect(viewer.stdout.endsWith('\x1b[?1049l')).toBe(true);
    // On a terminal that cannot move its cursor, once and plain.
    const dumb = stage.launch([...TERMINAL, '80', process.execPath, stage.bin, 'top'], {
      env: { TERM: 'dumb' },
    });
    expect(await dumb.end()).toEqual({ code: 0, signal: null });
    expect(dumb.stdout).not.toContain('\x1b');
    expect(dumb.stdout).toMatch(/^web +running/m);
    await command(stage, ['down']);
  });

  it('M3: top ends by Ctrl-C, and only top', async ({ stage }) => {
    await command(stage, ['up', '-f', stage.config([{ id: 'web', command: 'sleep 1000' }])]);
    const viewer = stage.launch([...TERMINAL, '100', process.execPath, stage.bin, 'top']);
    await viewer.line(/NAME .*MEM/);
    viewer.type('\x03');
    expect(await viewer.end()).toEqual({ code: 0, signal: null });
    expect((await command(stage, ['ls', '-q'])).stdout).toBe('web\n');
    await command(stage, ['down']);
  });

  it('ps shows trees, graph what depends on what', async ({ stage }) => {
    const workers = [
      { id: 'db', command: 'sleep 1000' },
      { id: 'web', shell: true, command: 'sleep 1001 & wait', depends_on: ['db'] },
    ];
    await command(stage, ['up', '-f', stage.config(workers)]);
    const ps = await command(stage, ['ps', 'web']);
    expect(ps.stdout).toMatch(/^web .* sleep 1001 & wait$/m);
    expect(ps.stdout).toMatch(/^web .* └─ sleep 1001$/m);
    const { processes } = JSON.parse((await command(stage, ['ps', '-o', 'json'])).stdout) as {
      readonly processes: readonly { readonly worker: string; readonly memoryBytes: number }[];
    };
    expect(processes.map(({ worker }) => worker).sort()).toEqual(['db', 'web', 'web']);
    expect(Math.min(...processes.map(({ memoryBytes }) => memoryBytes))).toBeGreaterThan(0);
    expect((await command(stage, ['graph'])).stdout).toBe('web  ready\n└─ db  ready\n');
    expect((await command(stage, ['graph', 'wbe'])).code).toBe(4);
    await command(stage, ['down']);
  });

  it('explain tells keys, errors and events, and names what may have been meant', async ({ stage }) => {
    const say = async (...args: readonly string[]) => (await command(stage, ['explain', ...args])).stdout;
    expect(await say()).toMatch(/^the document\n[^]* {4}workers +What is run/);
    expect(await say('workers[0].restart.retry_delay')).toMatch(
      /^workers\[\]\.restart\.retry_delay: duration\n {2}Delay before the first restart/,
    );
    expect(await say('restart')).toContain('workers[].restart: never | on-failure');
    expect(await say('namespaces.prod.limits')).toMatch(/^namespaces\.\*\.limits: /);
    expect(await say('E_NO_MASTER')).toMatch(/^E_NO_MASTER\n/);
    expect(await say('worker.exited')).toMatch(/^worker\.exited \(event\)\n/);
    expect(JSON.parse(await say('workers.depends_on', '-o', 'json'))).toMatchObject({
      path: 'workers[].depends_on',
    });
    const wrong = await command(stage, ['explain', 'workers.restrat']);
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toContain('did you mean workers.restart?');
  });

  it('the help names every command', async ({ stage }) => {
    const { stdout } = await command(stage, ['--help']);
    for (const { name } of [...OWN_COMMANDS, ...COMMANDS])
      expect(stdout).toMatch(new RegExp(`\\b${name}\\b`));
  });

  it('a command that is not there names the one that may have been meant', async ({ stage }) => {
    const wrong = await command(stage, ['statsu']);
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toContain('there is no command "statsu"; did you mean "status"');
    for (const args of [
      ['help', 'up'],
      ['up', '--help'],
      ['help', 'ls'],
      ['ls', '-h'],
    ])
      expect((await command(stage, args)).stdout).toMatch(/^Examples:\n/);
  });
});

describe.concurrent('init', () => {
  it('writes what a Procfile says, which is valid, and never overwrites', async ({ stage }) => {
    stage.write('Procfile', '# comment\nweb: node server.js\nclock: while :; do sleep 1; done\n');
    const made = await command(stage, ['init', '--yes']);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const text = readFileSync(stage.path('hsu-master.yaml'), 'utf8');
    expect(text).toMatch(/^# yaml-language-server: \$schema=.*config\.schema\.json\n/);
    const schema = /\$schema=(.*)$/m.exec(text)?.[1] ?? '';
    expect(existsSync(schema)).toBe(true);
    expect((await command(stage, ['validate', 'hsu-master.yaml'])).code).toBe(0);
    const again = await command(stage, ['init', '--yes']);
    expect(again).toMatchObject({ code: 2, stdout: '' });
    expect(again.stderr).toContain('is there already');
    expect(readFileSync(stage.path('hsu-master.yaml'), 'utf8')).toBe(text);
  });

  it('proposes the start script of a package; what is given counts more', async ({ stage }) => {
    const manifest = { name: '@shop/front', scripts: { start: 'node server.js' } };
    stage.write('package.json', JSON.stringify(manifest));
    await command(stage, ['init', '--yes', '-f', 'one.yaml']);
    expect(readFileSync(stage.path('one.yaml'), 'utf8')).toContain(
      'workers:\n  - id: front\n    command: "node server.js"',
    );
    await command(stage, ['init', '--id', 'job', '--command', 'echo $HOME', '-f', 'two.yaml']);
    const checked = await command(stage, ['validate', 'two.yaml']);
    expect(checked.code, checked.stderr).toBe(0);
    expect((await command(stage, ['init', '--id', 'a b', '--command', 'x', '-f', 'three.yaml'])).code).toBe(
      2,
    );
  });

  it('without a terminal and without anything to go by it says what to say', async ({ stage }) => {
    const { code, stdout, stderr } = await command(stage, ['init']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain("hsu-master init --id web --command 'node server.js'");
  });

  it('asks at a terminal', async ({ stage }) => {
    const asked = stage.launch([...TERMINAL, '100', process.execPath, stage.bin, 'init']);
    asked.type('sleep 5\rnap\r');
    expect(await asked.end()).toEqual({ code: 0, signal: null });
    expect(readFileSync(stage.path('hsu-master.yaml'), 'utf8')).toContain('id: nap\n    command: "sleep 5"');
  });
});
