import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { Execs } from '../src/control-exec.ts';
import { clientOf, command } from './background.ts';
import { eventually, it, type Launched, type Stage } from './drive.ts';
import { embed } from './embedded.ts';

const WORKERS = [
  { id: 'web', command: 'sleep 1000', env: { COLOUR: 'red' }, cwd: '/' },
  { id: 'off', command: 'sleep 1000', enabled: false },
];

/** Runs `exec`; what is typed is all of its standard input where nothing else is said. */
function exec(stage: Stage, words: string, input = '</dev/null'): Launched {
  const env = { NODE: process.execPath, BIN: stage.bin };
  return stage.launch(['sh', '-c', `exec "$NODE" "$BIN" exec ${words} ${input}`], { env });
}

describe('exec', () => {
  it('runs a command in the place of a worker; its output, input and exit code are ours', async ({
    stage,
  }) => {
    await command(stage, ['up', '-f', stage.config(WORKERS)]);
    const seen = exec(stage, `web -- sh -c 'echo $COLOUR $HSU_WORKER; pwd; echo no >&2; exit 7'`);
    expect(await seen.end()).toEqual({ code: 7, signal: null });
    expect(seen.stdout).toBe('red web\n/\n');
    expect(seen.stderr).toBe('no\n');
    const blob = randomBytes(400_000);
    writeFileSync(stage.path('blob'), blob);
    const copied = exec(stage, `off -- cat > '${stage.path('copy')}'`, `< '${stage.path('blob')}'`);
    expect(await copied.end(), copied.stderr).toEqual({ code: 0, signal: null });
    const compared = stage.launch(['cmp', 'blob', 'copy']);
    expect((await compared.end()).code).toBe(0);
    for (const [words, code] of [
      ['web -- no-such-program', 127],
      ['web -- /etc/passwd', 126],
      [`web -- sh -c 'kill -9 $$'`, 137],
      ['wbe -- true', 4],
      ['web', 2],
    ] as const) {
      const { code: came } = await exec(stage, words).end();
      expect({ words, code: came }).toEqual({ words, code });
    }
    const audit = await command(stage, ['audit', '--action', 'worker.exec']);
    expect(audit.stdout).toMatch(/worker\.exec web: done \(sh\)/);
    await command(stage, ['down']);
  });

  it('Ctrl-C is for the command; when the viewer is gone, so is the command', async ({ stage }) => {
    await command(stage, ['up', '-f', stage.config(WORKERS)]);
    const script = `trap 'echo heard; exit 5' INT; echo ready; while :; do sleep 0.1; done`;
    const heard = exec(stage, `web -- sh -c "${script}"`);
    await heard.line(/^ready$/);
    expect(await heard.stop('SIGINT')).toEqual({ code: 5, signal: null });
    expect(heard.stdout).toBe('ready\nheard\n');
    const left = exec(stage, `web -- sh -c 'touch ${stage.path('there')}; exec sleep 1003'`);
    await eventually(() => existsSync(stage.path('there')));
    left.kill();
    await eventually(() => !stage.processes().some(({ command: text }) => text.includes('sleep 1003')));
    const client = clientOf(stage);
    await expect(client.execInput('none', {})).rejects.toMatchObject({ code: 'E_UNKNOWN_SESSION' });
    client.close();
    await command(stage, ['down']);
  });

  it('a viewer that reads slowly makes the command wait, and the master keeps little of it', async ({
    stage,
  }) => {
    await command(stage, ['up', '-f', stage.config(WORKERS)]);
    const words = `web -- sh -c 'head -c 20000000 /dev/zero; touch ${stage.path('over')}'`;
    const slow = exec(stage, words, '</dev/null | { sleep 1; test -e over && echo early; wc -c; }');
    expect(await slow.end()).toEqual({ code: 0, signal: null });
    expect(slow.stdout.trim()).toBe('20000000');
    await command(stage, ['down']);
  });

  it('without a shell, as on Windows, it is refused with what to do instead', async ({ stage }) => {
    await using app = embed(stage, [{ id: 'web', command: 'sleep 1000' }]);
    const execs = new Execs(() => app.master.host(), 'm', stage.path('sh'));
    const spec = app.master.spec('web');
    if (spec === null) throw new Error('there is no spec');
    await expect(execs.start(spec, ['true'], new AbortController().signal)).rejects.toMatchObject({
      code: 'E_UNSUPPORTED',
      message: expect.stringMatching(/which is not here; hsu-master describe web --reveal/),
    });
  });
});
