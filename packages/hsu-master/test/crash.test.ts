import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { clientOf, command } from './background.ts';
import { eventually, it, type Stage } from './drive.ts';
import { isAlive } from './proc.ts';

const SECRET = /hunter\d/;

/** Names of all files below a folder that are larger than nothing. */
function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).size > 0);
}

/** Node with something of ours in it that fails with a secret in what it says. */
function failing(stage: Stage, code: string): string {
  const script = `${code.replace('FAIL', "throw new Error('cannot reach postgres://a:hunter1@db?token=hunter2')")}\n`;
  return `--import=${stage.write('failing.mjs', script)}`;
}

describe('J8: a crash', () => {
  it('of a master leaves no secret in its log, its state, or a report of Node', async ({ stage }) => {
    const reports = stage.path('reports');
    mkdirSync(reports);
    const crash = "process.on('SIGWINCH', () => { process.report.writeReport(); FAIL; });";
    const env = {
      NODE_OPTIONS: `${failing(stage, crash)} --report-directory=${reports}`,
      DB_PASSWORD: 'hunter3',
    };
    const worker = {
      id: 'web',
      command: 'sleep 1000',
      env: { PASSWORD: 'hunter4', URL: 'x://${DB_PASSWORD}' },
    };
    const up = await command(stage, ['up', '-f', stage.config([worker])], env);
    expect(up).toMatchObject({ code: 0 });
    const client = clientOf(stage);
    const { pid, stateDirectory } = await client.version();
    const { process: main } = await client.worker('web');
    client.close();
    process.kill(pid, 'SIGWINCH');
    await eventually(() => !isAlive(pid));
    const written = filesBelow(stage.folder).filter((path) => !/config\.yaml$|failing\.mjs$/.test(path));
    const [report = ''] = written.filter((path) => path.startsWith(reports));
    expect(JSON.parse(readFileSync(report, 'utf8'))).not.toHaveProperty('environmentVariables');
    const texts = written.map((path) => `${path}: ${readFileSync(path, 'latin1')}`);
    expect(texts.filter((text) => SECRET.test(text))).toEqual([]);
    expect(texts.join('\n')).toContain('internal error, please report it');
    expect(texts.some((text) => text.startsWith(stateDirectory))).toBe(true);
    // Left to the next master.
    expect(isAlive(main?.pid ?? 0)).toBe(true);
  });

  it('of a command tells its stack without a secret', async ({ stage }) => {
    const env = { NODE_OPTIONS: failing(stage, 'process.cwd = () => { FAIL; };') };
    const said = await command(stage, ['validate', '--debug'], env);
    expect(said.code).toBe(1);
    expect(said.stderr).toContain('cannot reach postgres://a:***@db');
    expect(said.stderr).toMatch(/\n +at /);
    expect(said.stdout + said.stderr).not.toMatch(SECRET);
  });
});
