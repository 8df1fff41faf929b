/**
 * A command line as its program takes it apart: the rules of Microsoft’s C runtime. Source: “Parsing C command-line arguments”,
 * learn.microsoft.com.
 */
export function splitCommandLine(line: string): readonly string[] {
  const words: string[] = [];
  let at = 0;
  const isBlank = (): boolean => line[at] === ' ' || line[at] === '\t';
  if (line === '') return words;
  words.push(takeProgram());
  for (;;) {
    while (isBlank()) at += 1;
    if (at >= line.length) return words;
    words.push(takeWord());
  }

  /** The name of the program knows no escapes: quotes only keep blanks in it. */
  function takeProgram(): string {
    let word = '';
    let quoted = false;
    for (; at < line.length && (quoted || !isBlank()); at += 1) {
      if (line[at] === '"') quoted = !quoted;
      else word += line[at];
    }
    return word;
  }

  function takeWord(): string {
    let word = '';
    let quoted = false;
    while (at < line.length && (quoted || !isBlank())) {
      let slashes = 0;
      for (; line[at] === '\\'; at += 1) slashes += 1;
      if (line[at] !== '"') {
        word += '\\'.repeat(slashes);
        if (slashes === 0) word += line[at++] ?? '';
        continue;
      }
      word += '\\'.repeat(Math.floor(slashes / 2));
      if (slashes % 2 === 1) {
        word += '"';
        at += 1;
      } else if (quoted && line[at + 1] === '"') {
        // Two quotes within quotes are one.
        word += '"';
        at += 2;
      } else {
        quoted = !quoted;
        at += 1;
      }
    }
    return word;
  }
}

/** A line for CreateProcess, or why these words cannot be handed over. */
export type CommandLine =
  | { readonly ok: true; readonly line: string }
  | { readonly ok: false; readonly isTooLong: boolean; readonly reason: string };

/** CreateProcess takes this many UTF-16 units, the closing NUL among them; cmd.exe fewer. */
const MOST_UNITS = 32_767;
const MOST_OF_CMD = 8191;

/** The words as one line that a program built with Microsoft’s C runtime, or any that keeps its rules, takes apart into the same words. */
export function commandLine(argv: readonly [string, ...string[]]): CommandLine {
  const [program, ...words] = argv;
  // Of the program’s name no quote can be escaped.
  if (program.includes('"')) return refused('the name of a program cannot contain a quote');
  const parts = [/[\s"]|^$/.test(program) ? `"${program}"` : program, ...words.map(quoted)];
  return checked(parts.join(' '), argv, MOST_UNITS);
}

/**
 * The same for a `.cmd` or `.bat` file, which cmd.exe runs: it takes the line apart by rules of its own first. What it would change
 * whatever one does is refused. The file gets its arguments in quotes; `%~1` is without them.
 */
export function batchCommandLine(shell: string, file: string, words: readonly string[]): CommandLine {
  if (file.includes('"')) return refused('the name of a batch file cannot contain a quote');
  if (file.includes('%')) return refused('cmd.exe would expand the % in the name of a batch file');
  const broken = words.find((word) => /[\r\n]/.test(word));
  if (broken !== undefined)
    return refused(`cmd.exe ends its line at the line break in ${JSON.stringify(broken)}`);
  // /d: no AutoRun; /e:on: extensions, which %cd:~,% takes; /v:off: no !x!; /s: only the outermost quotes are taken away.
  const inner = [`"${file}"`, ...words.map(quotedForBatch)].join(' ');
  return checked(`"${shell}" /d /e:on /v:off /s /c "${inner}"`, [file, ...words], MOST_OF_CMD);
}

function checked(line: string, argv: readonly string[], most: number): CommandLine {
  if (argv.some((word) => word.includes('\0'))) return refused('no argument can contain a NUL');
  if (line.length >= most)
    return refused(`the command line has ${line.length} characters, and Windows takes ${most - 1}`, true);
  return { ok: true, line };
}

function quoted(word: string): string {
  if (word !== '' && !/[\s"]/.test(word)) return word;
  // Backslashes count double before a quote, and nowhere else.
  return `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;
}

/**
 * Quotes are doubled, so that cmd.exe counts an even number of them and what follows stays quoted for it. A % is followed by one that
 * expands to nothing, so that no variable’s name stands between two: the empty substring of %cd%.
 */
function quotedForBatch(word: string): string {
  const escaped = word
    .replace(/(\\*)"/g, '$1$1""')
    .replace(/(\\+)$/, '$1$1')
    .replaceAll('%', '%%cd:~,%');
  return `"${escaped}"`;
}

function refused(reason: string, isTooLong = false): CommandLine {
  return { ok: false, isTooLong, reason };
}
