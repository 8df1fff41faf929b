import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { command } from './background.ts';
import { it, type Stage, TIMED } from './drive.ts';

const has = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0;

/** A folder for PATH in which the command has its name. */
function installed(stage: Stage): string {
  const folder = stage.path('bin');
  mkdirSync(folder, { recursive: true });
  for (const name of ['hsu-master', 'hsu']) {
    const file = stage.write(`bin/${name}`, `#!/bin/sh\nexec ${process.execPath} ${stage.bin} "$@"\n`);
    chmodSync(file, 0o755);
  }
  return folder;
}

async function shell(stage: Stage, argv: readonly string[], script: string): Promise<string> {
  const env = stage.environment();
  const path = `${installed(stage)}:${env['PATH']}`;
  const ran = stage.launch([...argv, '-c', script], { env: { PATH: path } });
  expect(await ran.end(), ran.stderr).toEqual({ code: 0, signal: null });
  return ran.stdout;
}

const FLEET = [
  { id: 'api-1', command: 'sleep 1000', namespace: 'shop' },
  { id: 'api-2', command: 'sleep 1000', namespace: 'shop' },
  { id: 'db', command: 'sleep 1000' },
];

/** What bash offers for a line, asked as bash asks it: words as it splits them, by its own breaks. */
const IN_BASH = `
source <(hsu-master completion bash)
offer() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _hsu_master hsu-master
    echo "\${COMPREPLY[*]}"
}
`;

/** A master that has loaded what answers: a shell waits for that no longer than a person would. */
async function upAndAsked(stage: Stage): Promise<void> {
  await command(stage, ['up', '-f', stage.config(FLEET)]);
  expect((await command(stage, ['ls', '-q'])).code).toBe(0);
}

describe.concurrent('completion in shells', TIMED, () => {
  it('bash: commands, live names of workers and namespaces, options and their values, files', async ({
    stage,
  }) => {
    await upAndAsked(stage);
    const script = `${IN_BASH}
offer hsu-master res
offer hsu-master stop api
offer hsu-master ls shop/
offer hsu-master ls -n ''
offer hsu-master ls --output = js
offer hsu-master logs --stre
offer hsu-master stop 'x; touch evil'
offer hsu-master stop '$(touch evil)'
offer hsu-master validate config
offer hsu-master validate --file = con
ls
`;
    const lines = (await shell(stage, ['bash', '--norc'], script)).trimEnd().split('\n');
    expect(lines.slice(0, 10)).toEqual([
      'restart reset',
      'api-1 api-2',
      'shop/api-1 shop/api-2',
      'shop',
      'json jsonl',
      '--stream',
      '',
      '',
      'config.yaml',
      'config.yaml',
    ]);
    expect(lines.slice(10)).not.toContain('evil');
    await command(stage, ['down']);
    // Without a master nothing is offered, and nothing is said.
    expect(await shell(stage, ['bash', '--norc'], `${IN_BASH} offer hsu-master stop ''`)).toBe('\n');
  });

  it.skipIf(!has('zsh'))(
    'zsh: the script is understood and offers what the program says',
    async ({ stage }) => {
      await upAndAsked(stage);
      // What compadd is given is what would be shown.
      const script = `
autoload -U compinit && compinit -u -d ${stage.path('dump')}
source <(hsu-master completion zsh)
compadd() { while [[ $1 != -a ]]; do shift; done; print -r -- "\${(P)2}"; }
offer() { words=("$@") CURRENT=$#; _hsu_master; }
offer hsu-master res
offer hsu-master stop api
offer hsu-master ls --output=js
`;
      const lines = (await shell(stage, ['zsh', '-f'], script)).trimEnd().split('\n');
      expect(lines).toEqual(['restart reset', 'api-1 api-2', '--output=json --output=jsonl']);
      await command(stage, ['down']);
    },
  );

  it.skipIf(!has('fish'))(
    'fish: the script is understood and offers what the program says',
    async ({ stage }) => {
      await upAndAsked(stage);
      const script = `
hsu-master completion fish | source
complete -C 'hsu-master res'
complete -C 'hsu-master stop api'
complete -C 'hsu-master ls --output=js'
`;
      const lines = (await shell(stage, ['fish', '--no-config'], script)).trimEnd().split('\n');
      expect(lines.map((line) => line.split('\t')[0])).toEqual([
        'reset',
        'restart',
        'api-1',
        'api-2',
        '--output=json',
        '--output=jsonl',
      ]);
      await command(stage, ['down']);
    },
  );

  it('there is a script for each of four shells, and no other', async ({ stage }) => {
    for (const name of ['bash', 'zsh', 'fish', 'powershell']) {
      const { code, stdout } = await command(stage, ['completion', name]);
      expect({ name, code }).toEqual({ name, code: 0 });
      expect(stdout).toContain('__complete');
    }
    expect(await command(stage, ['completion', 'tcsh'])).toMatchObject({ code: 2, stdout: '' });
  });
});
