import { type ExplainedKey, explainKey } from '@hsu-master/config';
import { ERRORS, EVENT_MEANINGS, nearest } from '@hsu-master/core';
import { EXIT_CODES } from './exit-codes.ts';
import type { Flags } from './flags.ts';
import { print } from './print.ts';

/** What something is called, and what is to be known of it. */
interface Explained {
  readonly value: object;
  readonly text: string;
}

/** `hsu-master explain`: what a key of the configuration, a code of an error or an event means. Asks nobody. */
export async function explain(what: string | undefined, flags: Flags): Promise<number> {
  const found = /^E_/i.test(what ?? '') ? error(what ?? '') : (event(what ?? '') ?? key(what ?? ''));
  if ('problem' in found) {
    process.stderr.write(`hsu-master: ${found.problem}\n${found.next}\n`);
    return EXIT_CODES.usage.code;
  }
  const { value, text } = found;
  await print(flags.output, value, () => text);
  return EXIT_CODES.ok.code;
}

interface Unknown {
  readonly problem: string;
  readonly next: string;
}

function error(written: string): Explained | Unknown {
  const code = written.toUpperCase();
  if (!Object.hasOwn(ERRORS, code)) {
    const near = nearest(code, Object.keys(ERRORS));
    return {
      problem: `there is no error ${written}${near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`}`,
      next: 'All codes are in docs/errors.md.',
    };
  }
  const { means, next } = ERRORS[code as keyof typeof ERRORS];
  return { value: { code, means, next }, text: `${code}\n  ${means}\n  What to do: ${next}` };
}

function event(type: string): Explained | null {
  if (!Object.hasOwn(EVENT_MEANINGS, type)) return null;
  const { means, payload } = EVENT_MEANINGS[type as keyof typeof EVENT_MEANINGS];
  const fields = Object.entries(payload).map(([name, text]) => `    ${name}: ${text}`);
  const text = [`${type} (event)`, `  ${means}`, ...(fields.length === 0 ? [] : ['  payload', ...fields])];
  return { value: { type, means, payload }, text: text.join('\n') };
}

function key(path: string): Explained | Unknown {
  const answer = explainKey(path);
  if (answer.ok) {
    const { places } = answer;
    const [only] = places;
    return {
      value: places.length === 1 && only !== undefined ? only : { places },
      text: places.map(textOf).join('\n\n'),
    };
  }
  return {
    problem: `there is no key "${path}"${answer.near === null ? '' : `; did you mean ${answer.near}?`}`,
    next: 'All keys of the top: hsu-master explain',
  };
}

function textOf({ keys, ...place }: ExplainedKey): string {
  const { path, type, usual, required, meaning, later } = place;
  const longest = Math.max(0, ...keys.map((inner) => nameOf(inner).length));
  return [
    path === '' ? 'the document' : `${path}: ${type}${required ? ', required' : ''}`,
    ...(meaning === '' ? [] : [`  ${meaning}`]),
    ...(usual === null ? [] : [`  Usually: ${usual}`]),
    ...(later === null ? [] : [`  Later: ${later}.`]),
    ...(keys.length === 0 ? [] : ['  Keys:']),
    ...keys.map((inner) => `    ${nameOf(inner).padEnd(longest)}  ${inner.meaning}`.trimEnd()),
  ].join('\n');
}

function nameOf({ path }: { readonly path: string }): string {
  return path.slice(path.lastIndexOf('.') + 1);
}
