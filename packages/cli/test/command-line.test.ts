import { describe, expect, it } from 'vitest';
import { ASKING_COMMANDS, CliError } from '../src/index.ts';
import { told } from './canned.ts';

const run = (line: string, columns = 80) =>
  told(line, columns, {
    locate: () =>
      Promise.reject(new CliError('E_NO_MASTER', 'no master runs here', 'Start one: hsu-master up')),
  });

describe('the command line', () => {
  it.each([40, 80, 200])('every command has help with examples first, on %i columns', async (columns) => {
    for (const command of ASKING_COMMANDS) {
      const { code, out } = await run(`${command} --help`, columns);
      expect(code).toBe(0);
      expect(out).toMatch(/^Examples:\n {2}hsu-master [a-z]+/);
      expect(out).toContain('--socket');
    }
  });

  it.each([
    ['describe', 'describe needs its argument <workers>', 'See hsu-master describe --help.'],
    ['ls --wide', 'there is no option --wide', 'See hsu-master ls --help.'],
    ['ls --out json', 'there is no option --out; did you mean --output?', 'See hsu-master ls --help.'],
    ['ls -o', '-o needs its value, <format>', 'See hsu-master ls --help.'],
    ['ls -o -q', '-o needs its value, <format>', 'See hsu-master ls --help.'],
    ['ls -q=1', 'there is no option -=', 'See hsu-master ls --help.'],
    ['ls --quiet=1', '--quiet takes no value', 'See hsu-master ls --help.'],
    ['version extra', 'too many arguments: extra', 'See hsu-master version --help.'],
    [
      'ls -o xml',
      '--output takes table, wide, json, yaml, jsonl, name, not "xml"',
      'See hsu-master ls --help.',
    ],
    ['dance', 'there is no command "dance"', 'See hsu-master dance --help.'],
  ])('%s: a mistake is told in a line with the next step, exit 2', async (line, message, next) => {
    expect(await run(line)).toEqual({ code: 2, out: '', err: `hsu-master: ${message}\n${next}\n` });
  });

  it('M4: without a master: exit 3 and how to start one; only version does without', async () => {
    expect(await run('ls')).toEqual({
      code: 3,
      out: '',
      err: 'hsu-master: no master runs here\nStart one: hsu-master up\n',
    });
    expect(await run('version -o jsonl')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/"version":"1\.2\.3"/),
    });
  });
});
