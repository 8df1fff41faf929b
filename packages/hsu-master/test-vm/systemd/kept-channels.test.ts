import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { eventually, it, type Stage } from '../../test/drive.ts';

/** A service of systemd, started in the background. */
function serve(stage: Stage, unit: string, ...settings: readonly string[]): void {
  const config = stage.config([
    {
      id: 'job',
      command: ['sh', stage.path('job.sh')],
      restart: 'never',
      log: { stdout: stage.path('out.log'), stderr: stage.path('err.log') },
    },
  ]);
  execFileSync('systemd-run', [
    '--quiet',
    '--collect',
    `--unit=${unit}`,
    ...Object.entries(stage.environment()).map(([name, value]) => `--setenv=${name}=${value}`),
    ...['KillMode=process', 'Restart=always', 'RestartSec=1500ms', 'NotifyAccess=main', ...settings].flatMap(
      (setting) => ['-p', setting],
    ),
    process.execPath,
    stage.bin,
    'run',
    config,
    '--log-dir',
    stage.path('logs'),
  ]);
}

const text = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '');
const show = (unit: string, property: string) =>
  execFileSync('systemctl', ['show', '-P', property, unit], { encoding: 'utf8' }).trim();

/** Says something once its master was killed, and ends before the next one is there. */
const JOB = (stage: Stage) => `
if [ -e ${stage.path('begun')} ]; then exec sleep 1000; fi
touch ${stage.path('begun')}
echo before
while [ ! -e ${stage.path('killed')} ]; do sleep 0.05; done
i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done
touch ${stage.path('ended')}
`;

async function killBetween(stage: Stage, unit: string): Promise<void> {
  await eventually(() => text(stage.path('out.log')) === 'before\n');
  const before = show(unit, 'MainPID');
  execFileSync('kill', ['-9', before]);
  writeFileSync(stage.path('killed'), '');
  await eventually(() => existsSync(stage.path('ended')));
  await eventually(() => !['0', before].includes(show(unit, 'MainPID')));
}

describe('a service whose store of descriptors keeps channels', () => {
  it('has all that a worker wrote which ended while no master ran', async ({ stage }) => {
    const unit = 'hsu-test-kept.service';
    writeFileSync(stage.path('job.sh'), JOB(stage));
    serve(stage, unit, 'FileDescriptorStoreMax=100');
    try {
      await eventually(() => text(stage.path('out.log')) === 'before\n');
      expect(show(unit, 'NFileDescriptorStore')).toBe('2');
      await killBetween(stage, unit);
      const lines = Array.from({ length: 5000 }, (_unused, index) => `line ${index}\n`).join('');
      await eventually(() => text(stage.path('out.log')).length >= lines.length + 7);
      expect(text(stage.path('out.log'))).toBe(`before\n${lines}`);
      // What is over is not kept any longer.
      await eventually(
        () => show(unit, 'NFileDescriptorStore') === '0' || show(unit, 'NFileDescriptorStore') === '2',
      );
    } finally {
      execFileSync('systemctl', ['stop', unit]);
    }
  });
});
