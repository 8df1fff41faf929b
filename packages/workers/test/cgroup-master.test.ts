import { describe, expect, test } from 'vitest';
import { parseList, parseRlimits, parseStatus } from '../src/host/cgroup/rights.ts';
import { unitOf } from '../src/host/cgroup/systemd.ts';

describe('rights', () => {
  test('capabilities and CPUs are read from /proc/self/status', () => {
    const status = (caps: string) => `Name:\tx\nCapEff:\t${caps}\nCpus_allowed_list:\t0-2,5\n`;
    expect(parseStatus(status('000001ffffffffff'))).toEqual({
      resource: true,
      nice: true,
      cpus: [0, 1, 2, 5],
    });
    expect(parseStatus(status('0000000000800000'))).toMatchObject({ resource: false, nice: true });
    expect(parseStatus(status('0000000001000000'))).toMatchObject({ resource: true, nice: false });
    expect(parseStatus('')).toEqual({ resource: false, nice: false, cpus: [] });
  });

  test('limits are numbered as in sys/resource.h', () => {
    const text = [
      'Limit                     Soft Limit           Hard Limit           Units     ',
      'Max cpu time              unlimited            unlimited            seconds   ',
      'Max open files            1024                 524288               files     ',
      'Max nice priority         0                    31                   ',
    ].join('\n');
    expect([...parseRlimits(text)]).toEqual([
      [0, { soft: Infinity, hard: Infinity }],
      [7, { soft: 1024, hard: 524288 }],
      [13, { soft: 0, hard: 31 }],
    ]);
  });

  test.each([
    ['0', [0]],
    ['0-1,4', [0, 1, 4]],
    ['', []],
  ])('CPU list %j', (text, cpus) => {
    expect(parseList(text)).toEqual(cpus);
  });
});

describe('the unit that a cgroup belongs to', () => {
  test.each([
    ['/', { name: null, below: false, ofUser: false, slice: null }],
    [
      '/system.slice/web.service',
      { name: 'web.service', below: false, ofUser: false, slice: 'system.slice' },
    ],
    [
      '/system.slice/web.service/hsu-master.x.supervisor',
      { name: 'web.service', below: true, ofUser: false, slice: 'system.slice' },
    ],
    [
      '/user.slice/user-0.slice/session-3.scope',
      { name: 'session-3.scope', below: false, ofUser: false, slice: 'user-0.slice' },
    ],
    [
      '/user.slice/user-1000.slice/user@1000.service/app.slice/run-r1.scope',
      { name: 'run-r1.scope', below: false, ofUser: true, slice: 'user-1000.slice' },
    ],
    [
      '/user.slice/user-1000.slice/user@1000.service/app.slice/a.service/inner',
      { name: 'a.service', below: true, ofUser: true, slice: 'user-1000.slice' },
    ],
  ])('%s', (path, unit) => {
    expect(unitOf(path)).toEqual(unit);
  });
});
