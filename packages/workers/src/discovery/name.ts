import { compilePattern, type Strategy } from '@hsu-master/core';
import { type Matcher, simple } from './matcher.ts';
import { NOTHING, type ProcessInfo } from './process.ts';

/** As the kernel cuts the names of processes. */
const NAME_LENGTH = 15;

/** A predicate for a pattern that was checked; what does not compile after all matches nothing. */
export function tester(pattern: string): (text: string) => boolean {
  const compiled = compilePattern(pattern);
  return compiled.ok ? (text) => compiled.pattern.test(text) : () => false;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Programs that write over their arguments give themselves whole sentences: `nginx: master process …`. */
function namesOf({ name, exe, argv }: ProcessInfo): readonly string[] {
  const names = [name];
  if (exe !== null && exe !== undefined) names.push(baseName(exe.replace(/ \(deleted\)$/, '')));
  const [first] = argv ?? [];
  if (first !== undefined) names.push(first);
  return names;
}

export function name({ name: wanted, pattern, args }: Strategy & { kind: 'name' }): Matcher {
  const isMeant = pattern === null ? () => true : tester(pattern);
  const cut = wanted !== null && Buffer.byteLength(wanted) > NAME_LENGTH;
  const isNamed = (process: ProcessInfo): boolean => {
    if (wanted === null) return true;
    const [own = '', ...others] = namesOf(process);
    // A name that was cut may be another’s: only the longer names tell.
    return (!cut && own === wanted) || others.some((one) => one === wanted || baseName(one) === wanted);
  };
  return simple({ ...NOTHING, argv: true, exe: true }, (process) => {
    if (!isNamed(process) || !namesOf(process).some(isMeant)) return false;
    return args.every((arg) => process.argv?.includes(arg) === true);
  });
}
