import { describe, expect, it } from 'vitest';
import { ASKING_COMMANDS, CliError, runCli } from '../src/index.ts';
import type { Out } from '../src/surroundings.ts';

function sink(columns: number): Out & { text: string } {
  return {
    text: '',
    async write(text) {
      this.text += text;
    },
    isTTY: false,
    colour: false,
    columns: () => columns,
    gone: new AbortController().signal,
  };
}

async function run(
  argv: readonly string[],
  columns = 80,
): Promise<{ code: number; out: string; err: string }> {
  const out = sink(columns);
  const err = sink(columns);
  const code = await runCli(argv, {
    out,
    err,
    locate: () =>
      Promise.reject(new CliError('E_NO_MASTER', 'no master runs here', 'Start one: hsu-master up')),
    version: '1.2.3',
    now: () => 0,
    interrupted: () => new AbortController().signal,
  });
  return { code, out: out.text, err: err.text };
}

describe('the command line', () => {
  it.each([40, 80, 200])('every command has help with examples first, on %i columns', async (columns) => {
    for (const command of ASKING_COMMANDS) {
      const { code, out } = await run([command, '--help'], columns);
      expect(code).toBe(0);
      expect(out).toMatch(/^Examples:\n {2}hsu-master [a-z]+/);
      expect(out).toContain('--socket');
    }
  });

  it('a mistake is told in a line with the next step, exit 2', async () => {
    expect(await run(['describe'])).toEqual({
      code: 2,
      out: '',
      err: "hsu-master: missing required argument 'workers'\nSee hsu-master describe --help.\n",
    });
    expect((await run(['ls', '-o', 'xml'])).err).toBe(
      'hsu-master: --output takes table, wide, json, yaml, jsonl, name, not "xml"\nSee hsu-master help.\n',
    );
  });

  it('without a master: exit 3 and how to start one; only version does without', async () => {
    expect(await run(['ls'])).toEqual({
      code: 3,
      out: '',
      err: 'hsu-master: no master runs here\nStart one: hsu-master up\n',
    });
    expect(await run(['version', '-o', 'jsonl'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/"version":"1\.2\.3"/),
    });
  });
});
