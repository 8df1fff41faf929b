import { describe, expect, it } from 'vitest';
import { size, span } from '../src/output/spans.ts';
import { table } from '../src/output/table.ts';
import { width } from '../src/output/width.ts';
import { workerColumns } from '../src/output/workers.ts';
import { FLEET, NOW, worker } from './canned.ts';

const list = (columns: number, rows = FLEET): Promise<string> =>
  table(workerColumns(NOW, false), rows, columns, false);

describe('the list of workers', () => {
  it('M2: on 200 columns', async () => {
    expect(`\n${await list(200)}\n`).toMatchInlineSnapshot(`
      "
      NAME        NAMESPACE  STATE        HEALTH      PID  UPTIME  RESTARTS     CPU     MEM  NOTE
      api         shop       running      ready      4102  2h 14m  0            12%  311 MB
      db                     running      ready      4102  2h 14m  1 (2h ago)    2%  190 MB
      mailer                 backoff 12s  –             –  –       5 (30s ago)    –       –  breaker open; exit 1; hsu-master why mailer
      report                 blocked      –             –  –       0              –       –  waiting for warehouse (ready)
      übersetzer             running      not ready  4102  2h 14m  0            12%  311 MB  not ready: 連接被拒絕 by upstream
      off                    disabled     –             –  –       0              –       –
      "
    `);
  });

  it('M2: on 80 columns', async () => {
    expect(`\n${await list(80)}\n`).toMatchInlineSnapshot(`
      "
      NAME        STATE        HEALTH     UPTIME  RESTARTS     NOTE
      api         running      ready      2h 14m  0
      db          running      ready      2h 14m  1 (2h ago)
      mailer      backoff 12s  –          –       5 (30s ago)  breaker open; exit 1;…
      report      blocked      –          –       0            waiting for warehouse…
      übersetzer  running      not ready  2h 14m  0            not ready: 連接被拒絕…
      off         disabled     –          –       0
      "
    `);
  });

  it('M2: on 40 columns', async () => {
    expect(`\n${await list(40)}\n`).toMatchInlineSnapshot(`
      "
      NAME        STATE        HEALTH
      api         running      ready
      db          running      ready
      mailer      backoff 12s  –
      report      blocked      –
      übersetzer  running      not ready
      off         disabled     –
      "
    `);
  });

  it('never is wider than what there is, nor breaks a line', async () => {
    const evil = worker('evil', { doing: 'a\nb\x1b[2J\tc', ready: false });
    for (let columns = 24; columns <= 220; columns += 1) {
      const lines = (await list(columns, [...FLEET, evil])).split('\n');
      expect(lines).toHaveLength(8);
      for (const line of lines) expect(width(line)).toBeLessThanOrEqual(columns);
    }
  });

  it('is coloured only where that is asked for, and says states in words as well', async () => {
    const coloured = await table(workerColumns(NOW, false), FLEET, 200, true);
    expect(coloured).toContain('\x1b[');
    expect(coloured.replace(/\p{Cc}\[[0-9;]*m/gu, '')).toBe(await list(200));
  });
});

it('spans have two units at most, sizes three digits', () => {
  expect([0, 999, 61_000, 3_600_000, 8_040_000, 90_000_000].map(span)).toEqual([
    '0s',
    '0s',
    '1m 1s',
    '1h',
    '2h 14m',
    '1d 1h',
  ]);
  expect([0, 999, 1500, 311e6, 1.23e9].map(size)).toEqual(['0 B', '999 B', '1.5 KB', '311 MB', '1.2 GB']);
});
