import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { eventually, it } from './drive.ts';

const text = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '');

describe('files of a program that others have started', () => {
  it('are shown and forwarded as its output, over rotation and over a killed master', async ({ stage }) => {
    const log = stage.path('app.log');
    const script = `echo $$ > ${stage.path('app.pid')}; i=0; while :; do echo line $i >> ${log}; i=$((i+1)); sleep 0.02; done`;
    stage.launch(['sh', '-c', script]);
    await eventually(() => text(log).includes('line 3'));
    const all = stage.path('all.log');
    const config = {
      log_collection: { global_aggregation: { targets: [{ type: 'file', path: all, format: 'plain' }] } },
      workers: [
        {
          id: 'app',
          type: 'unmanaged',
          unit: {
            unmanaged: {
              metadata: { name: 'app' },
              discovery: { method: 'pid-file', pid_file: stage.path('app.pid') },
              log_files: [log],
            },
          },
        },
      ],
    };
    const first = stage.run(config);
    await first.line(/^app +\| line \d/);
    renameSync(log, stage.path('app.log.1'));
    await eventually(() => text(log) !== '');
    const after = Number(/line (\d+)/.exec(text(log))?.[1]);
    await first.line(new RegExp(`^app +\\| line ${after + 5}$`));
    await first.stop('SIGKILL');
    const killed = text(all).trim().split('\n').length;
    const second = stage.run(config);
    await eventually(() => text(all).trim().split('\n').length > killed + 20);
    expect((await second.stop()).code).toBe(0);
    const numbers = text(all)
      .trim()
      .split('\n')
      .map((line) => Number(/^line (\d+)$/.exec(line)?.[1]));
    // What was read in the last second before a kill may come again, and nothing is missing.
    const seen = [...new Set(numbers)].toSorted((one, other) => one - other);
    expect(seen).toEqual(seen.map((_number, index) => (seen[0] ?? 0) + index));
    writeFileSync(stage.path('done'), '');
  });
});
