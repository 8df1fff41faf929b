import { FakeClock } from '@hsu-master/testkit';
import { describe, expect, test } from 'vitest';
import { serviceManager } from '../src/service/notify.ts';
import { launchdPlist, type ServiceSpec, systemdUnit } from '../src/service/unit-file.ts';
import { it } from './drive.ts';
import { ordinary } from './ordinary.ts';

const spec: ServiceSpec = {
  name: 'hsu-master-web-1a2b3c4d',
  scope: 'system',
  argv: ['/usr/bin/node', '/opt/hsu master/bin.js', 'run', '/etc/100%/$web "a" <b>.yaml'],
  configFile: '/etc/100%/web.yaml',
  environment: { PATH: '/usr/bin:/bin', HSU_HOME: '/srv/my home' },
  stopTimeout: 44_500,
};
const lines = (text: string) => text.split('\n');

describe('the unit of systemd', () => {
  test('words with spaces, quotes, variables and specifiers arrive as they are', () => {
    expect(lines(systemdUnit(spec, 252))).toEqual(
      expect.arrayContaining([
        'Description=HSU Master: /etc/100%%/web.yaml',
        'ExecStart=/usr/bin/node "/opt/hsu master/bin.js" run "/etc/100%%/$$web \\"a\\" <b>.yaml"',
        'Environment=PATH=/usr/bin:/bin',
        'Environment="HSU_HOME=/srv/my home"',
      ]),
    );
  });

  test('a crash of the master takes no worker along, and an ordered stop has its time', () => {
    expect(lines(systemdUnit(spec, 252))).toEqual(
      expect.arrayContaining([
        'KillMode=process',
        'Restart=on-failure',
        'OOMPolicy=continue',
        'TimeoutStopSec=45',
      ]),
    );
  });

  test('says of subgroups only what the version knows', () => {
    expect(systemdUnit(spec, 253)).not.toContain('DelegateSubgroup');
    expect(systemdUnit(spec, null)).not.toContain('DelegateSubgroup');
    expect(lines(systemdUnit(spec, 254))).toContain('DelegateSubgroup=supervisor');
  });

  test('a user’s is wanted by the session and waits for no network', () => {
    const unit = systemdUnit({ ...spec, scope: 'user' }, 252);
    expect(lines(unit)).toContain('WantedBy=default.target');
    expect(unit).not.toContain('network');
  });
});

test('the property list of launchd escapes what XML does not take', () => {
  const plist = launchdPlist(spec, '/var/log/a&b.log');
  expect(plist).toContain('<string>/etc/100%/$web "a" &lt;b&gt;.yaml</string>');
  expect(plist).toContain('<key>StandardOutPath</key><string>/var/log/a&amp;b.log</string>');
  expect(plist).toContain('<key>ExitTimeOut</key><integer>45</integer>');
});

describe('the service manager', () => {
  const open = (env: Record<string, string>) => {
    const clock = new FakeClock();
    const said: string[] = [];
    const send = (path: string, bytes: Uint8Array) =>
      said.push(`${path}: ${new TextDecoder().decode(bytes)}`);
    return { clock, said, manager: serviceManager({ env, pid: 7, clock, send }) };
  };

  test('is told that the master is ready, lives, and stops', () => {
    const { clock, said, manager } = open({
      NOTIFY_SOCKET: '/run/notify',
      WATCHDOG_USEC: '60000000',
      WATCHDOG_PID: '7',
    });
    manager.ready('3 workers');
    expect(said.splice(0)).toEqual([
      '/run/notify: READY=1\nMAINPID=7\nSTATUS=3 workers\n',
      '/run/notify: WATCHDOG=1\n',
    ]);
    clock.advance(29_999);
    expect(said).toEqual([]);
    clock.advance(30_001);
    expect(said.splice(0)).toEqual(['/run/notify: WATCHDOG=1\n', '/run/notify: WATCHDOG=1\n']);
    manager.stopping();
    expect(said.splice(0)).toEqual(['/run/notify: STOPPING=1\nSTATUS=stopping all workers\n']);
    manager.close();
    clock.advance(120_000);
    expect(said).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test('that watches another process gets no signs of life from this one', () => {
    const { clock, said, manager } = open({
      NOTIFY_SOCKET: '@x',
      WATCHDOG_USEC: '60000000',
      WATCHDOG_PID: '8',
    });
    manager.ready('');
    clock.advance(120_000);
    expect(said).toHaveLength(1);
  });

  test('that did not ask, or not by a unix socket, hears nothing', () => {
    for (const env of [{}, { NOTIFY_SOCKET: 'vsock:2:1234' }, { NOTIFY_SOCKET: '' }]) {
      const { said, manager } = open(env);
      manager.ready('');
      expect(said).toEqual([]);
    }
  });
});

describe.concurrent('hsu-master service', () => {
  it('says what it takes', async ({ stage, expect: expectHere }) => {
    for (const words of [[], ['install'], ['begin', 'config.yaml']]) {
      const told = stage.hsu(['service', ...words]);
      expectHere((await told.end()).code).toBe(2);
      expectHere(told.stderr).toMatch(
        /^hsu-master: service takes install, uninstall or status, and a configuration file/,
      );
    }
  });

  it('is for root alone, exit 6 and what else there is', async ({ stage, expect: expectHere, skip }) => {
    const options = ordinary(stage, skip);
    const told = stage.hsu(['service', 'install', stage.config([])], options);
    expectHere((await told.end()).code).toBe(6);
    expectHere(told.stderr).toMatch(/only root may install a service .*--user .*--dry-run/);
  });

  it('makes no service of a configuration that is not valid', async ({ stage, expect: expectHere }) => {
    const file = stage.config('workers: [{ id: a }]');
    const told = stage.hsu(['service', 'install', file, '--dry-run']);
    expectHere((await told.end()).code).toBe(2);
    expectHere(told.stderr).toMatch(/config\.yaml:1:\d+: error: .*\n[^]*no service was made of it\n$/);
  });
});
