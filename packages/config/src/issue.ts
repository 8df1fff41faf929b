import type { SourceText } from './source.ts';

/** One thing found in a configuration, with its place. Lines and columns count from 1; columns count UTF-16 code units. */
export interface ConfigIssue {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Where in the document: `workers[0].unit.managed.control`; empty for the document itself. */
  readonly path: string;
  /** What was found, on what, and why it is not right. */
  readonly message: string;
  /** What to write instead, or null. */
  readonly hint: string | null;
  /** The source line around the place, and the column of the place within this excerpt, counted from 0; null without a source. */
  readonly excerpt: { readonly text: string; readonly at: number } | null;
}

/** The keys and indexes that lead to a node. */
export type Path = readonly (string | number)[];

export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[\w-]+$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

/** What an issue says, apart from its place. */
export interface Finding {
  readonly message: string;
  readonly hint?: string | null;
}

export function issueAt(
  source: SourceText,
  severity: ConfigIssue['severity'],
  offset: number,
  path: Path,
  finding: Finding,
): ConfigIssue {
  const { line, column } = source.position(offset);
  return {
    severity,
    file: source.file,
    line,
    column,
    path: formatPath(path),
    message: finding.message,
    hint: finding.hint ?? null,
    excerpt: source.excerpt(offset),
  };
}

/** Control characters as escapes, so that a file cannot write to the terminal. */
function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

const COLOURS = { error: '31', warning: '33', hint: '36', bold: '1' } as const;

/**
 * Writes an issue as compilers do: `config.yaml:4:10: error: …`, then the source line with a caret below the place, then the
 * hint. Several lines, no final newline.
 */
export function formatIssue(
  issue: ConfigIssue,
  options: { readonly colour: boolean } = { colour: false },
): string {
  const paint = (text: string, colour: keyof typeof COLOURS) =>
    options.colour ? `\u001B[${COLOURS[colour]}m${text}\u001B[0m` : text;
  const place = `${visible(issue.file)}:${issue.line}:${issue.column}`;
  const where = issue.path === '' ? '' : `${issue.path}: `;
  const lines = [
    `${paint(`${place}:`, 'bold')} ${paint(`${issue.severity}:`, issue.severity)} ${where}${visible(issue.message)}`,
  ];
  if (issue.excerpt !== null) {
    const gutter = `${issue.line} | `;
    const before = issue.excerpt.text.slice(0, issue.excerpt.at).replace(/[^\t]/gu, ' ');
    lines.push(`  ${gutter}${issue.excerpt.text}`);
    lines.push(`  ${' '.repeat(gutter.length - 2)}| ${before}${paint('^', issue.severity)}`);
  }
  if (issue.hint !== null) lines.push(`  ${paint('hint:', 'hint')} ${visible(issue.hint)}`);
  return lines.join('\n');
}
