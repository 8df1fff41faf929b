import { type ConfigIssue, type Finding, formatPath, issueAt, type Path } from './issue.ts';
import type { SourceText } from './source.ts';
import type { Node } from './yaml/tree.ts';

/** Errors listed, at most; the rest is counted. */
const MAX_ERRORS = 100;
/** Places named in one warning, at most; the rest is counted. */
const MAX_PLACES = 8;

interface Notice {
  readonly finding: (details: readonly string[]) => Finding;
  readonly offset: number;
  readonly path: Path;
  readonly lines: number[];
  readonly details: Set<string>;
}

/** Collects everything that is wrong or noteworthy in one file, so that it can be reported together. */
export class Findings {
  readonly #source: SourceText;
  readonly #root: Node | null;
  readonly #errors: { offset: number; path: Path; finding: Finding }[] = [];
  readonly #notices = new Map<string, Notice>();
  errorCount = 0;

  constructor(source: SourceText, root: Node | null) {
    this.#source = source;
    this.#root = root;
  }

  error(offset: number, path: Path, finding: Finding): void {
    this.errorCount += 1;
    if (!this.full) this.#errors.push({ offset, path: [...path], finding });
  }

  /** An error at a path; its place is the deepest node on the way that exists. */
  errorAt(path: Path, finding: Finding): void {
    if (this.full) this.errorCount += 1;
    else this.error(this.locate(path), path, finding);
  }

  /** Whether something at this path or further down is wrong; of errors that are only counted nobody knows where they are. */
  hasErrorBelow(path: Path): boolean {
    return this.full || this.#errors.some((error) => path.every((step, depth) => error.path[depth] === step));
  }

  /** Whether further errors are only counted, so that nothing needs to be found out for their hints. */
  get full(): boolean {
    return this.#errors.length >= MAX_ERRORS;
  }

  /**
   * A warning that is given once per `group`, listing the lines of all its places. `details` are collected and handed to
   * `finding`.
   */
  notice(
    group: string,
    offset: number,
    path: Path,
    finding: (details: readonly string[]) => Finding,
    details: Iterable<string> = [],
  ): void {
    let notice = this.#notices.get(group);
    if (notice === undefined) {
      notice = { finding, offset, path: [...path], lines: [], details: new Set() };
      this.#notices.set(group, notice);
    }
    for (const detail of details) notice.details.add(detail);
    notice.lines.push(offset);
  }

  noticeAt(
    group: string,
    path: Path,
    finding: (details: readonly string[]) => Finding,
    details: string[] = [],
  ): void {
    this.notice(group, this.locate(path), path, finding, details);
  }

  /** Line of a path, counted from 1, for messages that name a second place. */
  line(path: Path): number {
    return this.lineOf(this.locate(path));
  }

  lineOf(offset: number): number {
    return this.#source.position(offset).line;
  }

  /** Offset of the deepest node on the way along `path`. */
  locate(path: Path): number {
    let node = this.#root;
    let offset = node?.offset ?? 0;
    for (const step of path) {
      let next: Node | undefined;
      if (node?.kind === 'map') next = node.entries.find((entry) => entry.key === step)?.value;
      else if (node?.kind === 'list' && typeof step === 'number') next = node.items[step];
      if (next === undefined) break;
      node = next;
      offset = next.offset;
    }
    return offset;
  }

  /** All errors in the order of the file. */
  errors(): readonly ConfigIssue[] {
    const sorted = this.#errors.toSorted((a, b) => a.offset - b.offset);
    const issues = sorted.map(({ offset, path, finding }) =>
      issueAt(this.#source, 'error', offset, path, finding),
    );
    const more = this.errorCount - issues.length;
    if (more > 0) {
      const last = sorted.at(-1);
      const message = `and ${more} more errors`;
      issues.push(issueAt(this.#source, 'error', last?.offset ?? 0, [], { message }));
    }
    return issues;
  }

  /** All warnings, one per group, in the order of their first places. */
  warnings(): readonly ConfigIssue[] {
    const sorted = [...this.#notices.values()].toSorted((a, b) => a.offset - b.offset);
    return sorted.map((notice) => {
      const finding = notice.finding([...notice.details]);
      const issue = issueAt(this.#source, 'warning', notice.offset, notice.path, finding);
      return {
        ...issue,
        path: notice.lines.length === 1 ? issue.path : pattern(notice.path),
        message: finding.message + this.#also(notice),
      };
    });
  }

  #also(notice: Notice): string {
    if (notice.lines.length === 1) return '';
    const lines = [...new Set(notice.lines.map((offset) => this.lineOf(offset)))].toSorted((a, b) => a - b);
    if (lines.length === 1) return ` (${notice.lines.length} times)`;
    const named = lines.slice(0, MAX_PLACES).join(', ');
    const more = lines.length > MAX_PLACES ? ` and ${lines.length - MAX_PLACES} more` : '';
    return ` (${notice.lines.length} times: lines ${named}${more})`;
  }
}

/** `workers[].unit.managed`: a path without the indexes, the same for all places of one key. */
export function pattern(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += '[]';
    else text += formatPath(text === '' ? [step] : ['', step]).replace(/^\[""\]/, '');
  }
  return text;
}
