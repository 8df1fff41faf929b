import type { AlertConfig } from '../config.ts';
import type { Findings } from '../findings.ts';
import type { Path } from '../issue.ts';
import type { WrittenLogAlert } from '../schema/targets.ts';

type Written = WrittenLogAlert & { readonly workers?: readonly string[] };

export function alertsOf(written: readonly Written[], at: Path, findings: Findings): readonly AlertConfig[] {
  return written.map((alert, index) => alertOf(alert, [...at, index], findings));
}

function alertOf(written: Written, at: Path, findings: Findings): AlertConfig {
  const every = written.every ?? 300_000;
  return {
    at,
    rule: {
      name: written.name,
      workers: written.workers ?? [],
      pattern: written.pattern ?? null,
      minLevel: written.level ?? null,
      stream: written.stream ?? null,
      count: written.count ?? 1,
      within: written.within ?? 60_000,
      every: every === 0 ? null : every,
      exec: programOf(written.exec, [...at, 'exec'], findings),
      webhook: written.webhook ?? null,
      timeout: written.timeout ?? 10_000,
    },
  };
}

function programOf(
  written: WrittenLogAlert['exec'],
  at: Path,
  findings: Findings,
): readonly [string, ...string[]] | null {
  if (written === undefined) return null;
  const words = 'line' in written ? written.split : written;
  if ('wrong' in words) {
    findings.errorAt(at, {
      message: words.wrong,
      hint: 'give a list, ["/bin/sh", "-c", "…"], to have a shell run it',
    });
    return null;
  }
  const [program, ...args] = words;
  if (program !== undefined && program !== '') return [program, ...args];
  findings.errorAt(at, { message: 'names no program', hint: 'write the program and its arguments' });
  return null;
}
