import type { AuditEntry } from '@hsu-master/api/client';
import type { Asking } from '../asking.ts';
import { printData, say } from '../output/print.ts';
import { whole } from './whole.ts';

export interface AuditOptions {
  readonly limit?: string;
  readonly action?: string;
  readonly by?: string;
}

/** `audit`: who did what. */
export async function audit(
  { client, to, format }: Asking,
  { limit, action, by }: AuditOptions,
): Promise<number> {
  const entries = await client.audit({ limit: whole('--limit', limit, 100, 1000), action, by });
  if (await printData(to.out, format, { entries }, entries)) return 0;
  if (entries.length === 0) await say(to.err, 'nothing was written down yet');
  else await say(to.out, entries.map(line).join('\n'));
  return 0;
}

function line({ at, by, from, action, on, result, why }: AuditEntry): string {
  return `${at} ${by} (${from}) ${action} ${on}: ${result}${why === null ? '' : ` (${why})`}`;
}
