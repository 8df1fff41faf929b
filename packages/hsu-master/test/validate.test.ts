import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { parse } from 'yaml';
import { command } from './background.ts';
import { factor, it, type LaunchOptions, type Stage, TIMED } from './drive.ts';

interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function validate(stage: Stage, text: string, options: LaunchOptions = {}): Promise<Answer> {
  const command = stage.hsu(['validate', stage.config(text)], options);
  const { code } = await command.end();
  const { stdout, stderr } = command;
  expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  return { code, stdout, stderr };
}

function laughs(): string {
  const levels = Array.from({ length: 9 }, (_unused, index) => {
    const below = index === 0 ? 'lol' : `*l${index - 1}`;
    return `l${index}: &l${index} [${Array(9).fill(below).join(', ')}]`;
  });
  return `${levels.join('\n')}\nworkers: *l8\n`;
}

describe.concurrent('validate', () => {
  it('prints what it understood', async ({ stage }) => {
    const { code, stdout, stderr } = await validate(
      stage,
      'workers:\n  - {id: db, command: sleep 5, ready: "tcp://127.0.0.1:1"}\n  - {id: web, command: sleep 7, depends_on: [db]}\n',
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const word of ['db', 'web', 'sleep 5', 'TCP 127.0.0.1:1', 'start order: db, web'])
      expect(stdout).toContain(word);
  });

  it('gives the same to programs, secrets masked: what is understood, or where it is wrong', async ({
    stage,
  }) => {
    const good = stage.config([{ id: 'db', command: 'sleep 5', env: { DB_PASSWORD: 'hunter2-hunter2' } }]);
    const understood = await command(stage, ['validate', good, '-o', 'json']);
    expect(understood).toMatchObject({ code: 0, stderr: '' });
    const told = JSON.parse(understood.stdout) as object;
    expect(told).toMatchObject({ ok: true, file: good, issues: [], workers: [{ id: 'db' }] });
    expect(understood.stdout).not.toContain('hunter2');
    expect(parse((await command(stage, ['validate', good, '-o', 'yaml'])).stdout)).toEqual(told);
    const wrong = await command(stage, ['validate', stage.config('workers:\n  - {id: a}\n'), '-o', 'json']);
    expect(wrong).toMatchObject({ code: 2, stderr: '' });
    expect(JSON.parse(wrong.stdout)).toMatchObject({ ok: false, issues: [{ severity: 'error', line: 2 }] });
  });

  it('tells all mistakes at once, each with its place', async ({ stage }) => {
    const { code, stdout, stderr } = await validate(
      stage,
      'workers:\n  - id: web\n    comand: x\n  - id: db\n    command: true && false\n  - id: job\n    command: x\n    stop_timeout: soon\n',
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/config\.yaml:3:5: error/);
    expect(stderr).toMatch(/config\.yaml:5:\d+: error/);
    expect(stderr).toMatch(/config\.yaml:8:\d+: error/);
    expect(stderr).toContain('shell: true');
  });

  it('B6: an empty command, and NUL, newline and = in names of variables, are refused with their places', async ({
    stage,
  }) => {
    const { code, stderr } = await validate(
      stage,
      [
        'workers:',
        '  - id: a',
        '    command: ""',
        '  - id: b',
        '    command: []',
        '  - id: c',
        '    command: "true"',
        '    env:',
        '      "NU\\0L": x',
        '      "NEW\\nLINE": x',
        '      "A=B": x',
        '      OK: "nul\\0byte"',
        '',
      ].join('\n'),
    );
    expect(code).toBe(2);
    for (const line of [3, 5, 9, 10, 11, 12]) {
      expect(stderr, `line ${line}`).toMatch(new RegExp(`config\\.yaml:${line}:\\d+: error`));
    }
  });

  it('I5: duplicate ids, ids that differ by case, and duplicate keys are refused, both lines shown', async ({
    stage,
  }) => {
    const twice =
      'workers:\n  - {id: web, command: "true"}\n  - {id: web, command: "true"}\n  - {id: WEB, command: "true"}\n';
    const ids = await validate(stage, twice);
    expect(ids.code).toBe(2);
    expect(ids.stderr).toMatch(/config\.yaml:3:\d+: error.*web/);
    expect(ids.stderr).toMatch(/config\.yaml:4:\d+: error.*WEB/);
    expect(ids.stderr).toMatch(/line 2|:2:/);
    const keys = await validate(stage, 'workers:\n  - id: web\n    command: "true"\n    command: "false"\n');
    expect(keys.code).toBe(2);
    expect(keys.stderr).toMatch(/config\.yaml:4:\d+: error/);
    expect(keys.stderr).toMatch(/line 3|:3:/);
  });

  it('I6: anchors and merge keys are fine', async ({ stage }) => {
    const { code, stdout } = await validate(
      stage,
      [
        'workers:',
        '  - &base',
        '    id: first',
        '    command: sleep 1',
        '    env: &env {GREETING: hello}',
        '  - <<: *base',
        '    id: second',
        '    env: *env',
        '',
      ].join('\n'),
    );
    expect(code).toBe(0);
    expect(stdout).toContain('second');
  });

  it.for([
    ['a billion laughs', () => laughs()],
    ['10 000 levels', () => `workers: ${'['.repeat(10_000)}${']'.repeat(10_000)}\n`],
    ['10 000 levels of maps', () => `workers: ${'{a: '.repeat(10_000)}1${'}'.repeat(10_000)}\n`],
    ['a file of 50 MB', () => `workers:\n${'# nothing\n'.repeat(5_000_000)}`],
  ] as const)(
    'I6: %s is refused soon and in little memory (tried again: it bounds real time)',
    TIMED,
    async ([_name, text], { stage }) => {
      const through = ['python3', join(import.meta.dirname, 'programs', 'peak.py')];
      const { code, stderr } = await validate(stage, text(), { through });
      expect(code).toBe(2);
      const [, memory, seconds] = /^peak (\d+) KiB, ([\d.]+) s$/m.exec(stderr) ?? [];
      expect(Number(memory)).toBeLessThan(200 * 1024);
      expect(Number(seconds)).toBeLessThan(factor);
      expect(stderr.length).toBeLessThan(10_000);
    },
  );

  it('I7: __proto__ and constructor are keys like any other', async ({ stage }) => {
    const { code, stderr } = await validate(
      stage,
      'workers:\n  - id: web\n    command: "true"\n    __proto__: {enabled: false}\n    constructor: 1\n',
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/config\.yaml:4:5: error: .*__proto__/);
    expect(stderr).toMatch(/config\.yaml:5:5: error: .*constructor/);
    const names = await validate(stage, 'workers:\n  - {id: web, command: env, env: {__proto__: x}}\n');
    expect(names.code).toBe(2);
    expect(names.stderr).toMatch(/config\.yaml:2:\d+: error: .*__proto__/);
  });

  it.for([
    '../evil',
    'a/b',
    'CON',
    'NUL',
    'com1',
    'web.',
    '%2e%2e',
    'a b',
    '',
    '.',
    'é',
    'x'.repeat(65),
    'a\\0b',
  ])('I8: the id %j is refused', async (id, { stage }) => {
    const { code, stderr } = await validate(stage, `workers:\n  - id: "${id}"\n    command: "true"\n`);
    expect(code).toBe(2);
    expect(stderr).toMatch(/config\.yaml:2:\d+: error: .*id/);
  });

  it('I9: files and directories with any name work', async ({ stage }) => {
    const name = 'Ünïcödé 🎉 שלום';
    stage.write(name, '#!/bin/sh\necho "ran $0"\n', 0o755);
    const master = stage.run([{ id: 'odd', command: [`./${name}`], env: { WORD: name } }]);
    expect((await master.end()).code).toBe(0);
    expect(master.stdout).toContain(`ran ${stage.path(name)}`);
  });

  it('I11: variables: unset by name, default, literal, and a value that looks like YAML stays one', async ({
    stage,
  }) => {
    const missing = await validate(stage, 'workers:\n  - id: web\n    command: ["echo", "${NOT_THERE}"]\n');
    expect(missing.code).toBe(2);
    expect(missing.stderr).toMatch(/config\.yaml:3:\d+: error: .*NOT_THERE/);
    const text =
      'workers:\n  - id: web\n    command: ["printf", "%s\\n", "${GIVEN}", "${NOT_THERE:-x y}", "$$HOME"]\n';
    const master = stage.run(text, [], { env: { GIVEN: 'a: [b] # c' } });
    expect((await master.end()).code).toBe(0);
    expect(master.matching(/^web +\|/)).toEqual(['web | a: [b] # c', 'web | x y', 'web | $HOME']);
  });

  it('I12: text stays what was written', async ({ stage }) => {
    const words = ['22:30', '0o777', 'NO', '1e3', '0x1F', '~', 'null', '1_000', '2001-01-01'];
    const text = `workers:\n  - id: web\n    command:\n      - echo\n${words.map((word) => `      - ${word}\n`).join('')}`;
    const master = stage.run(text);
    expect((await master.end()).code, master.stderr).toBe(0);
    expect(master.stdout).toContain(`web | ${words.join(' ')}\n`);
  });

  it('I13: an unknown key is an error with the nearest one', async ({ stage }) => {
    const { code, stderr } = await validate(
      stage,
      'workers:\n  - id: web\n    command: "true"\n    depend_on: [db]\n',
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/config\.yaml:4:5: error: .*unknown key "depend_on"/);
    expect(stderr).toContain('did you mean "depends_on"?');
  });

  it('a key that nothing acts on yet is named in one warning, with exit code 0', async ({ stage }) => {
    const { code, stderr } = await validate(
      stage,
      'master: {log_level: debug}\nworkers:\n  - {id: web, command: "true"}\n',
    );
    expect(code).toBe(0);
    expect(stderr.match(/warning/g)).toHaveLength(1);
    expect(stderr).toContain('log_level');
  });
});
