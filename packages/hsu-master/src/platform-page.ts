import { type Capability, LIMIT_NAMES, LIMITS, type LimitName } from '@hsu-master/core';
import { windowsCapabilities } from '@hsu-master/native';
import {
  LIMIT_SUPPORT,
  MACOS_SUPPORT,
  type Support,
  WINDOWS_CAPABILITIES,
  windowsSupport,
} from '@hsu-master/workers';
import { page, table } from './page-text.ts';
import { FEATURES, leftOut, PLATFORMS, type Reports, shownOf } from './platform-table.ts';

/** docs/platforms.md */
export function platformsPage(reports: Reports): string {
  const platforms = PLATFORMS.map(({ platform, targets, notes }) => [
    platform,
    shownOf(targets, reports),
    notes,
  ]);
  return page(
    'Platforms',
    'Node.js 22.22.2 or later of the 22 line, or 24.15.0 or later. Node sets the floor of the operating systems.',
    '*shown*: what the suites ran, by their own reports in `scripts/shown.json` and `scripts/prebuilt/verified.json`.',
    table(['platform', 'shown', 'notes'], platforms),
    ...leftOutOfSuites(reports),
    '## Shells',
    '`hsu-master completion` prints scripts for bash, zsh and fish, which the tests run where these shells are installed, and for PowerShell, which is a script only: it ' +
      'was never run, as there is no PowerShell on the machines that it was made on.',
    '## What the hosts can do',
    'The native host uses the addon. Without it the Node host runs the same workers with less, and `hsu-master run` says what is lost; on Windows there is no Node host. ' +
      'What Windows has is what its host reports; `hsu-master doctor` shows it on the machine. On macOS none of it was run: as on Linux without groups, as far as it compiles.',
    table(['feature', 'native host, Linux', 'Windows host', 'Node host'], featureRows()),
    ...limitSections(),
  );
}

function leftOutOfSuites(reports: Reports): readonly string[] {
  const rows = PLATFORMS.flatMap(({ platform, targets }) =>
    leftOut(reports, targets).map(([test, why]) => [platform, test.replaceAll('|', '\\|'), why]),
  );
  if (rows.length === 0) return [];
  return ['### What was left out there', table(['platform', 'test', 'why'], rows)];
}

function windowsReport(isWine: boolean): ReadonlyMap<string, Capability> {
  const all = [...windowsCapabilities({ isWine, isElevated: true }), ...WINDOWS_CAPABILITIES];
  return new Map(all.map((one) => [one.feature, one]));
}

function featureRows(): readonly (readonly string[])[] {
  const [onWindows, onWine] = [windowsReport(false), windowsReport(true)];
  const names = [...new Set([...Object.keys(FEATURES), ...onWindows.keys()])];
  return names.map((name) => {
    const linux = FEATURES[name] ?? { native: '–', node: '–' };
    const windows = onWindows.get(name);
    const wine = onWine.get(name);
    const beside =
      wine === undefined || wine.status === windows?.status
        ? ''
        : `. Under Wine ${wine.status}: ${wine.reason}`;
    const text = windows === undefined ? '–' : `${windows.status}: ${windows.reason}${beside}`;
    return [`\`${name}\``, linux.native, text, linux.node];
  });
}

function limitSections(): readonly string[] {
  return [
    '## What holds each limit',
    'On Linux, with the addon, by the control groups that the master may use; each controller is taken where it is, so that one machine can be in ' +
      'several columns. `hsu-master limits explain` tells what becomes of the limits of a configuration on the machine where it is called, with the reasons that only ' +
      'that machine knows: rights, disks, limits around the master. *enforced*: the kernel does not let it be exceeded · *watched*: the use of the tree is measured, and ' +
      'what the policy says follows · *impossible*: neither. Without the addon all of them are impossible.',
    table(['limit', 'about', 'cgroup v2', 'cgroup v1', 'neither'], limitRows()),
    '### On Windows',
    'By the Job Object around each worker; budgets of several workers are not held there. None of it was tried on Windows itself: Wine accepts limits of jobs and does not ' +
      'keep them, and is told of as such.',
    table(
      ['limit', 'Windows'],
      LIMIT_NAMES.map((limit) => [`\`${limit}\``, supportText(windowsSupport(limit))]),
    ),
    '### On macOS',
    'As in the last column of the first table, with these exceptions; none of it was tried there. The soft limits that launchd gives the master (`SoftResourceLimits` in its plist, ' +
      '`launchctl limit`) hold for it and its workers: hard ones are not raised, and what is above them is cut and said.',
    table(
      ['limit', 'macOS'],
      Object.entries(MACOS_SUPPORT).map(([limit, support]) => [`\`${limit}\``, supportText(support)]),
    ),
  ];
}

function limitRows(): readonly (readonly string[])[] {
  return Object.entries(LIMIT_SUPPORT).map(([limit, { controller, cgroup2, cgroup1, neither }]) => [
    `\`${limit}\``,
    LIMITS[limit as LimitName].means,
    supportText(cgroup2),
    ...(controller === null ? ['the same', 'the same'] : [supportText(cgroup1), supportText(neither)]),
  ]);
}

function supportText({ status, mechanism, note }: Omit<Support, 'file'>): string {
  const by =
    mechanism === '' || mechanism === 'sampling' ? '' : `: ${mechanism.replace(/^(?:cgroup[12]|job) /, '')}`;
  return `${status}${by}${note === '' ? '' : `; ${note}`}`;
}
