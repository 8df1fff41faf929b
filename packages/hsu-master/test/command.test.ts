import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zoo } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { it, ROOT } from './drive.ts';

const sleeper = { id: 'sleeper', command: zoo.sleeps().argv };

describe.concurrent('exit codes', () => {
  it('0: Ctrl-C ends a run in order', async ({ stage }) => {
    const master = stage.run([sleeper]);
    await master.line(/^sleeper +\| up/);
    expect(await master.stop('SIGINT')).toEqual({ code: 0, signal: null });
    expect(master.lines.at(-1)).toBe('hsu-master: all workers are stopped');
    expect(stage.processes()).toEqual([]);
  });

  it('0: SIGTERM ends a run in order', async ({ stage }) => {
    const master = stage.run([sleeper]);
    await master.started('sleeper');
    expect(await master.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(stage.processes()).toEqual([]);
  });

  it('0: SIGHUP, the terminal was closed, ends a run in order', async ({ stage }) => {
    const master = stage.run([sleeper]);
    await master.started('sleeper');
    expect(await master.stop('SIGHUP')).toEqual({ code: 0, signal: null });
    expect(stage.processes()).toEqual([]);
  });

  it('0: a run whose workers have all completed ends by itself', async ({ stage }) => {
    const master = stage.run([
      { id: 'first', command: 'true' },
      { id: 'second', command: 'true', depends_on: [{ id: 'first', condition: 'completed' }] },
    ]);
    expect((await master.end()).code).toBe(0);
    expect(master.lines).toEqual(
      expect.arrayContaining([
        'first: completed',
        'second: completed',
        'hsu-master: all workers are stopped',
      ]),
    );
  });

  it('1: a worker could never be started, and nothing else is left to do', async ({ stage }) => {
    const master = stage.run([{ id: 'absent', command: ['/nonexistent/program'] }]);
    expect((await master.end()).code).toBe(1);
    expect(master.stdout).toContain('absent: failed for good: ');
  });

  it('1: a worker could never be started; the others run until Ctrl-C', async ({ stage }) => {
    const master = stage.run([sleeper, { id: 'absent', command: ['/nonexistent/program'] }]);
    await master.line(/^absent: failed for good/);
    await master.started('sleeper');
    expect((await master.stop()).code).toBe(1);
    expect(stage.processes()).toEqual([]);
  });

  it('2: a configuration with mistakes, told with their places', async ({ stage }) => {
    const master = stage.run('workers:\n  - id: web\n    comand: node server.js\n');
    expect((await master.end()).code).toBe(2);
    expect(master.stderr).toMatch(/config\.yaml:3:5: error: .*unknown key "comand"/);
    expect(master.stderr).toContain('did you mean "command"?');
  });

  it('2: a file that does not exist', async ({ stage }) => {
    for (const verb of ['run', 'validate']) {
      const command = stage.hsu([verb, 'nowhere.yaml']);
      expect((await command.end()).code).toBe(2);
      expect(command.stderr).toMatch(/^hsu-master: .*nowhere\.yaml/);
      expect(command.stderr.trim().split('\n')).toHaveLength(1);
    }
  });

  it('2: a working directory that was removed', async ({ stage }) => {
    const config = stage.config([sleeper]);
    const gone = ['sh', '-c', 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', 'sh'];
    for (const args of [
      ['run', config],
      ['run', 'config.yaml'],
      ['run', config, '--state-dir', 'state'],
      ['validate', config],
      ['validate', 'config.yaml'],
    ]) {
      const command = stage.hsu(args, { through: gone });
      expect((await command.end()).code).toBe(2);
      expect(command.stderr).toBe(
        'hsu-master: the working directory was removed; change to one that exists (cd /) and try again\n',
      );
    }
  });

  it.for([
    [['fly'], 'there is no command "fly"'],
    [['run'], 'run needs a configuration file'],
    [['validate'], 'validate needs a configuration file'],
    [['run', 'a.yaml', 'b.yaml'], 'one configuration file is needed, not 2: a.yaml, b.yaml'],
    [['run', 'a.yaml', '--colour'], '--colour'],
    [['run', 'a.yaml', '--run-duration', 'soon'], '--run-duration takes a number of seconds, not "soon"'],
    [['run', 'a.yaml', '--run-duration', '-1'], '--run-duration'],
  ] as const)('2: %j', async ([args, problem], { stage }) => {
    const command = stage.hsu(args);
    expect((await command.end()).code).toBe(2);
    expect(command.stderr).toContain(problem);
    expect(command.stderr).not.toMatch(/^\s+at /m);
  });

  it('2: nothing at all shows the help', async ({ stage }) => {
    const command = stage.hsu([]);
    expect((await command.end()).code).toBe(2);
    expect(command.stdout).toContain('Examples:');
  });

  it.for([
    ['state directory', ['--state-dir', '/proc/hsu/state'], {}],
    ['HSU_HOME', [], { HSU_HOME: '/proc/hsu' }],
  ] as const)('1: a %s that cannot be made', async ([, flags, env], { stage }) => {
    const master = stage.run([sleeper], flags, { env });
    expect((await master.end()).code).toBe(1);
    expect(master.stderr).toMatch(
      /^hsu-master: cannot use the state directory \/proc\/hsu\/state\S*: ENOENT: the file system of \/proc takes no new directories; /,
    );
    expect(master.stderr).toMatch(/; name another with --state-dir or HSU_HOME\n$/);
    expect(master.stderr.trim().split('\n')).toHaveLength(1);
  });

  it('7: a second master with the same state directory names the first', async ({ stage }) => {
    const first = stage.run([sleeper]);
    await first.started('sleeper');
    const second = stage.hsu(['run', stage.path('config.yaml')]);
    expect((await second.end()).code).toBe(7);
    expect(second.stderr).toContain(`another master (pid ${first.pid}) already runs`);
    expect(second.stderr.trim().split('\n')).toEqual([
      expect.any(String),
      expect.stringMatching(/^See it: /),
    ]);
    expect((await first.stop()).code).toBe(0);
  });

  it('C7 130: a second Ctrl-C kills what does not end', async ({ stage }) => {
    const master = stage.run([{ id: 'deaf', command: zoo.ignoresSigterm().argv, stop_timeout: '10m' }]);
    await master.line(/^deaf +\| up/);
    master.signal('SIGINT');
    await master.line(/^deaf: stopping/);
    expect((await master.stop('SIGINT')).code).toBe(130);
    expect(master.stdout).toContain('killing what is left');
    expect(stage.processes()).toEqual([]);
  });
});

describe.concurrent('the command line', () => {
  it('shows help with examples first', async ({ stage }) => {
    for (const args of [['--help'], ['-h'], ['help']]) {
      const command = stage.hsu(args);
      expect((await command.end()).code).toBe(0);
      expect(command.stdout.indexOf('Examples:')).toBeLessThan(command.stdout.indexOf('Commands:'));
    }
  });

  it('prints its version for people and for programs', async ({ stage }) => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'packages/hsu-master/package.json'), 'utf8'));
    for (const args of [['version'], ['--version']]) {
      const plain = stage.hsu(args);
      await plain.end();
      expect(plain.stdout).toMatch(new RegExp(`^hsu-master ${version} \\(Node [\\d.]+\\)\n$`));
    }
    const json = stage.hsu(['version', '-o', 'json']);
    expect((await json.end()).code).toBe(0);
    expect(JSON.parse(json.stdout)).toEqual({ version, master: null, node: process.versions.node });
  });

  it.for(['--config', '-c', '-f', '--file'])('%s FILE alone means run', async (flag, { stage }) => {
    const master = stage.hsu([flag, stage.config([{ id: 'job', command: 'true' }])]);
    expect((await master.end()).code).toBe(0);
    expect(master.stdout).toContain('job: completed');
  });

  it('--enable-log is accepted without effect, and said to be once', async ({ stage }) => {
    const master = stage.run([{ id: 'job', command: 'true' }], ['--enable-log']);
    expect((await master.end()).code).toBe(0);
    expect(master.matching(/--enable-log has no effect: output is always collected/)).toHaveLength(1);
  });

  it('--run-duration ends a run in order', async ({ stage }) => {
    const master = stage.run([sleeper], ['--run-duration', '0.3']);
    expect((await master.end()).code).toBe(0);
    expect(master.stdout).toContain('stopping all workers: --run-duration 300ms');
    expect(stage.processes()).toEqual([]);
  });

  it('Ctrl-C before --run-duration is over ends the command at once', async ({ stage }) => {
    const master = stage.run([sleeper], ['--run-duration', '3600']);
    await master.started('sleeper');
    expect((await master.stop()).code).toBe(0);
  });

  it('--run-duration of many weeks is not cut short', async ({ stage }) => {
    const master = stage.run([sleeper], ['--run-duration', '10000000']);
    await master.line(/^sleeper +\| up/);
    expect(master.stdout).not.toContain('stopping');
    expect((await master.stop()).code).toBe(0);
    expect(master.stderr).toBe('');
  });

  it('--state-dir and --log-dir say where files go', async ({ stage }) => {
    const flags = ['--state-dir', 'state', '--log-dir', 'output'];
    const master = stage.run([{ id: 'job', command: 'echo hello' }], flags);
    expect((await master.end()).code).toBe(0);
    expect(readFileSync(stage.path('output/workers/job-stdout.log'), 'utf8')).toBe('hello\n');
    expect(readFileSync(stage.path('state/master.lock'), 'utf8')).toBe(`${master.pid}\n`);
  });

  it('a --log-dir that cannot be made is told, and the workers run', async ({ stage }) => {
    const master = stage.run([{ id: 'job', command: 'echo hello' }], ['--log-dir', '/proc/hsu']);
    expect((await master.end()).code).toBe(0);
    expect(master.stdout).toContain('job | hello\n');
    expect(master.stdout).toContain(
      'job: log trouble: cannot write /proc/hsu/workers/job-stdout.log: ENOENT: the file system of /proc takes no new directories\n',
    );
  });

  it('npx hsu-master works from the root of the repository, whatever Node the system has', async ({
    stage,
  }) => {
    const { PATH: path = '' } = process.env;
    const outside = path.split(':').filter((folder) => !folder.startsWith(ROOT));
    const command = stage.launch(['npx', '--offline', 'hsu-master', 'version'], {
      cwd: ROOT,
      env: { PATH: outside.join(':') },
    });
    expect(await command.end(), command.stderr).toEqual({ code: 0, signal: null });
    expect(command.stdout).toMatch(/^hsu-master \d/);
  });
});
