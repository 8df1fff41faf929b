import type { Needs, ProcessTable } from './process.ts';

const FIELDS: Readonly<Record<string, string>> = {
  exe: 'program',
  cwd: 'working directory',
  environment: 'environment',
  descriptors: 'open files and sockets',
};

/** What a look could not see, in words; empty: it saw all. Who is not found may be among them. */
export function describeLosses({ processes, hidden }: ProcessTable, needs: Needs): string {
  const counts = new Map<string, number>();
  for (const { losses } of processes) {
    for (const { field, code } of losses) {
      // Kernel threads and who has just ended have none of it.
      if (code === 'EACCES' || code === 'EPERM') counts.set(field, (counts.get(field) ?? 0) + 1);
    }
  }
  // The program only adds to a name, which is known without.
  if (needs.argv) counts.delete('exe');
  const told = [...counts].map(
    ([field, count]) => `the ${FIELDS[field] ?? field} of ${count} ${count === 1 ? 'process' : 'processes'}`,
  );
  const texts = told.length === 0 ? [] : [`${told.join(' and ')} may not be read by this user`];
  if (hidden) texts.push('processes of other users are hidden from this user (hidepid)');
  return texts.join('; ');
}
