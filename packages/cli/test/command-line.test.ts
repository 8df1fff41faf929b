import { ApiError } from '@hsu-master/api/client';
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
    ['signal web HUP', 'there is no signal "web"', 'The signal comes first: hsu-master signal HUP web'],
    [
      'signal web NOSUCH',
      'there is no signal "web"',
      'HUP, INT, QUIT, TERM, KILL, USR1, USR2, STOP, CONT and WINCH are the usual ones.',
    ],
    ['exec -i web -- sh', 'exec has no -i', 'Leave it out: what is typed or piped goes to the command.'],
    ['audit --limit many', '--limit takes a number up to 1000, not "many"', 'See hsu-master audit --help.'],
    [
      'logs --level fatal',
      '--level takes trace, debug, info, notice, warn, error, critical, alert, emergency, not "fatal"',
      'See hsu-master logs --help.',
    ],
    ['dance', 'there is no command "dance"', 'See hsu-master dance --help.'],
  ])('%s: a mistake is told in a line with the next step, exit 2', async (line, message, next) => {
    // Some are seen when a master is found.
    expect(await told(line, 80, { locate: async () => ({ socket: '/nowhere' }) })).toEqual({
      code: 2,
      out: '',
      err: `hsu-master: ${message}\n${next}\n`,
    });
  });

  it('who is not sure who answers is told how to be, and not to show another token', async () => {
    const next = 'Name the authority of its certificate: --ca FILE or HSU_CA.';
    const unsure = {
      code: 'E_UNAUTHENTICATED',
      detail: 'it is not sure who answers',
      next,
      status: 0,
    } as const;
    const { code, err } = await told('ls', 80, { locate: () => Promise.reject(new ApiError(unsure)) });
    expect(code).toBe(6);
    expect(err).toBe(`hsu-master: it is not sure who answers\n${next}\n`);
  });

  it('exec --tty names what works instead', async () => {
    const { code, err } = await run('exec -t web -- sh');
    expect(code).toBe(2);
    expect(err).toMatch(/^hsu-master: exec has no -t\n.*hsu-master exec web -- sh\. .*-- script /);
  });

  it('M4: who asks one elsewhere that does not answer is not told to start one here', async () => {
    const origin = 'http://127.0.0.1:1';
    const locate = async () => ({ origin });
    const next = `Look there whether it runs, and whether its api.listen and the network let you reach ${origin}.`;
    expect(await told('ls', 80, { locate })).toEqual({
      code: 3,
      out: '',
      err: `hsu-master: no master answers at ${origin}\n${next}\n`,
    });
    expect(await told(`version --address ${origin}`, 80, { locate })).toMatchObject({
      code: 0,
      err: `no master answers at ${origin}\n`,
    });
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
