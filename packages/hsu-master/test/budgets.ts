import { creature } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { allGroups } from './cgroups.ts';
import { eventually, it } from './drive.ts';
import { embed } from './embedded.ts';

const groups = { team: { limits: { process: { max_processes: 8 } } } };
const member = (id: string, ...words: string[]) => ({
  id,
  command: creature(...words),
  worker_group: 'team',
  limits: { process: { max_processes: 100 } },
});

/** Shown with the groups of v1 and of v2. */
export function describeBudgets(): void {
  describe('a budget of processes', () => {
    it('that is full is named, of who fills it; nobody’s own limit is blamed; it can be raised while it is used', async ({
      stage,
    }) => {
      const workers = [
        member('small', 'print', 'up', 'sleep'),
        { ...member('large', 'forks', '20', 'sleep'), depends_on: ['small'] },
      ];
      const app = embed(stage, [], { config: { groups, workers } });
      const { master } = app;
      try {
        await master.start();
        const { payload } = await app.event('limit.exceeded', 'large');
        expect(payload).toMatchObject({
          limit: 'process.max_processes',
          allowed: 8,
          quota: { kind: 'group', id: 'team' },
        });
        expect(app.of('limit.exceeded')).toHaveLength(1);
        expect(master.setQuota('group', 'team', { process: { max_processes: 40 } })).toMatchObject([
          { limit: 'process.max_processes', status: 'enforced' },
        ]);
        await app.event('limit.cleared', 'large');
        await master.restartWorker('large');
        await eventually(() => (master.usage('large')?.usage.threads ?? 0) > 8);
      } finally {
        await master.shutdown();
      }
      expect(allGroups().filter((path) => path.endsWith('/grp.team'))).toEqual([]);
    });

    it('that refuses a process just before a worker fails explains that end', async ({ stage }) => {
      const workers = [
        member('filler', 'forks', '6', 'sleep'),
        { ...member('failing', 'forks', '3', 'exit', '4'), restart: 'never', depends_on: ['filler'] },
      ];
      const app = embed(stage, [], { config: { groups, workers } });
      try {
        await app.master.start();
        const { payload } = await app.event('worker.exited', 'failing');
        expect(payload.exit).toMatchObject({ code: 4, forksRefused: 'quota' });
        const [told] = app.of('limit.exceeded', 'failing');
        expect(told?.payload).toMatchObject({ quota: { id: 'team' }, reason: 'fork-refused' });
      } finally {
        await app.master.shutdown();
      }
    });
  });
}
