import { describe, expect, it } from 'vitest';
import { doctorText } from '../src/doctor.ts';
import { command } from './background.ts';
import { it as staged } from './drive.ts';

const FINDINGS = [
  { about: 'system', status: 'good', says: 'linux 6.18 x64, Node v24.21.0, uid 0' },
  {
    about: 'state directory',
    status: 'bad',
    says: '/var/lib/hsu-master: /var/lib cannot be written to (EACCES); set --state-dir or HSU_HOME',
  },
  {
    about: 'workers',
    status: 'less',
    says: '3 ready, 4 wanted; not ready: mailer (backoff 37s: exit 3 after 1ms); hsu-master why mailer',
  },
] as const;
const CAPABILITIES = [
  {
    feature: 'race-free-signals',
    status: 'enforced',
    reason: 'signals and exits go through pidfds',
  },
  {
    feature: 'exit-status-of-adopted-workers',
    status: 'watched',
    reason: 'the exit code of a worker that an earlier master has started is not known',
  },
] as const;

describe('doctor', () => {
  it.each([40, 80, 200])('M2: on %i columns', (columns) => {
    expect(doctorText(FINDINGS, CAPABILITIES, columns)).toMatchSnapshot();
  });

  staged('tells what the machine offers, then how the master is that runs', async ({ stage }) => {
    const config = stage.config([
      { id: 'web', command: 'sleep 1000' },
      { id: 'mailer', shell: true, command: 'exit 3' },
    ]);
    const before = await command(stage, ['doctor']);
    expect(before).toMatchObject({ code: 0, stderr: '' });
    expect(before.stdout).toMatch(/^master +ok +none runs$/m);
    await command(stage, ['up', '-f', config]);
    const after = await command(stage, ['doctor']);
    expect(after.stdout).toMatch(/^master +ok +pid \d+, version .*config\.yaml$/m);
    expect(after.stdout).toMatch(
      /^workers +less +1 ready, 2 wanted; not ready: mailer \(.*\); hsu-master why mailer$/m,
    );
    const { master, findings } = JSON.parse((await command(stage, ['doctor', '-o', 'json'])).stdout) as {
      readonly master: { readonly health: object };
      readonly findings: readonly object[];
    };
    expect(master.health).toMatchObject({ workers: { wanted: 2, ready: 1 } });
    expect(findings).toContainEqual(expect.objectContaining({ about: 'disk of the logs' }));
    await command(stage, ['down']);
  });
});
