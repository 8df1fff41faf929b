export type Words =
  | { readonly ok: true; readonly words: readonly string[] }
  | { readonly ok: false; readonly message: string; readonly hint: string };

const SHELL_HINT =
  'quote it if the program is to receive it, or set shell: true to have /bin/sh run the line';

/**
 * Splits a command line into words as a POSIX shell would: blanks separate, quotes and backslashes protect. Nothing is
 * expanded and nothing is run by a shell, so what only a shell could do (`|`, `&&`, `>`, `$VAR`, `*`) is refused.
 */
export function splitWords(line: string): Words {
  if (/^[\w@%+:,./ -]*$/.test(line))
    return { ok: true, words: line.split(' ').filter((part) => part !== '') };
  const words: string[] = [];
  let word: string | null = null;
  let at = 0;
  while (at < line.length) {
    const char = line[at] as string;
    if (char === ' ' || char === '\t') {
      if (word !== null) words.push(word);
      word = null;
      at += 1;
      continue;
    }
    if (char === '\\' && line[at + 1] === '\n') {
      at += 2;
      continue;
    }
    const special = shellOnly(line, at, word === null, words.length === 0);
    if (special !== null) return special;
    word ??= '';
    if (char === "'") {
      const end = line.indexOf("'", at + 1);
      if (end === -1) return refuse("a ' is never closed", 'close the quote');
      word += line.slice(at + 1, end);
      at = end + 1;
    } else if (char === '"') {
      const quoted = doubleQuoted(line, at + 1);
      if (!quoted.ok) return quoted;
      word += quoted.text;
      at = quoted.end;
    } else if (char === '\\') {
      const next = line[at + 1];
      if (next === undefined) return refuse('ends in a backslash', 'write \\\\ for a literal backslash');
      word += next;
      at += 2;
    } else {
      word += char;
      at += 1;
    }
  }
  if (word !== null) words.push(word);
  return { ok: true, words };
}

/** What a shell would not take literally at this place, outside of quotes. */
function shellOnly(line: string, at: number, startsWord: boolean, first: boolean): Words | null {
  const char = line[at] as string;
  const rest = line.slice(at, at + 80);
  if (/[|&;<>()\n\r]/.test(char)) {
    const operator = /^(?:\|\||&&|>>|<<|[|&;<>()])/.exec(rest)?.[0] ?? 'a line break';
    return refuse(`contains ${operator}, which only a shell understands`, SHELL_HINT);
  }
  if (char === '`')
    return refuse('contains a `command substitution`, which only a shell understands', SHELL_HINT);
  if (char === '$' && expands(rest))
    return refuse(`contains ${expansion(rest)}, which only a shell expands`, variableHint(rest));
  if (/[*?[]/.test(char))
    return refuse(`contains the pattern character ${char}, which only a shell expands`, SHELL_HINT);
  if (startsWord && char === '~') {
    return refuse(
      'contains ~, which only a shell expands',
      `write $\{HOME} instead, or '~' for the character itself`,
    );
  }
  if (startsWord && char === '#') return refuse('contains a # comment', SHELL_HINT);
  if (startsWord && first && /^[A-Za-z_]\w*=/.test(rest)) {
    return refuse('sets a variable before the program, as only a shell does', 'put the variable into env');
  }
  return null;
}

type Quoted = { readonly ok: true; readonly text: string; readonly end: number };

function doubleQuoted(line: string, from: number): Quoted | (Words & { ok: false }) {
  let text = '';
  let at = from;
  while (at < line.length) {
    const char = line[at] as string;
    if (char === '"') return { ok: true, text, end: at + 1 };
    const rest = line.slice(at, at + 80);
    if (char === '`')
      return refuse('contains a `command substitution`, which only a shell understands', SHELL_HINT);
    if (char === '$' && expands(rest))
      return refuse(`contains ${expansion(rest)}, which only a shell expands`, variableHint(rest));
    if (char === '\\' && /[$`"\\\n]/.test(line[at + 1] ?? '')) {
      if (line[at + 1] !== '\n') text += line[at + 1];
      at += 2;
    } else {
      text += char;
      at += 1;
    }
  }
  return refuse('a " is never closed', 'close the quote');
}

/** Whether a shell would replace what begins here with `$`; a lone `$` stays. */
function expands(rest: string): boolean {
  return /^\$[A-Za-z_0-9{(@*#?!$-]/.test(rest);
}

function expansion(rest: string): string {
  return /^\$(?:\w+|.)/.exec(rest)?.[0] ?? '$';
}

function variableHint(rest: string): string {
  const name = /^\$([A-Za-z_]\w*)/.exec(rest)?.[1];
  return name === undefined
    ? SHELL_HINT
    : `write $\{${name}} to insert it when the configuration is read, or set shell: true`;
}

function refuse(message: string, hint: string): Words & { ok: false } {
  return { ok: false, message, hint };
}

/** Writes words as one line that `splitWords` and a shell read back. */
export function quoteWords(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}
