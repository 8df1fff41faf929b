import { type Bytes, type Milliseconds, parseDuration, parseSize } from '@hsu-master/core';

/** Something in a written target that cannot be used. */
export interface TargetIssue {
  /** From the target on: `config.batch_size`. */
  readonly path: string;
  readonly message: string;
}

type Mapping = Readonly<Record<string, unknown>>;

/** Reads the keys of a mapping that others wrote, and remembers what was wrong and what nobody asked for. */
export class Keys {
  readonly #mapping: Mapping;
  readonly #path: string;
  readonly #issues: TargetIssue[];
  readonly #asked = new Set<string>();
  /** Bare numbers are milliseconds that somebody has read already; else their unit would be a guess. */
  readonly #isParsed: boolean;

  constructor(mapping: unknown, path: string, issues: TargetIssue[], isParsed = false) {
    this.#path = path;
    this.#isParsed = isParsed;
    this.#issues = issues;
    const isThere = mapping !== undefined && mapping !== null;
    const isMapping = typeof mapping === 'object' && mapping !== null && !Array.isArray(mapping);
    if (isThere && !isMapping) issues.push({ path, message: 'must be a mapping' });
    this.#mapping = isMapping ? (mapping as Mapping) : {};
  }

  refuse(key: string, message: string): void {
    this.#issues.push({ path: this.#path === '' ? key : `${this.#path}.${key}`, message });
  }

  /** Whether any of these keys has a value. */
  has(...keys: string[]): boolean {
    return keys.some((key) => (this.#mapping[key] ?? null) !== null);
  }

  text(key: string): string | null {
    const value = this.#take(key);
    if (typeof value === 'string') return value;
    if (typeof value === 'number') return String(value);
    if (value !== null) this.refuse(key, 'must be a text');
    return null;
  }

  choice<T extends string>(key: string, choices: readonly T[], otherwise: T): T {
    const text = this.text(key);
    if (text === null) return otherwise;
    const found = choices.find((choice) => choice === text.toLowerCase().replaceAll('-', '_'));
    const near = found ?? choices.find((choice) => choice === text.toLowerCase());
    if (near === undefined) this.refuse(key, `must be one of ${choices.join(', ')}`);
    return near ?? otherwise;
  }

  flag(key: string, otherwise: boolean): boolean {
    const value = this.#take(key);
    if (typeof value === 'boolean') return value;
    if (value !== null) this.refuse(key, 'must be true or false');
    return otherwise;
  }

  count(key: string, otherwise: number, least: number, most: number): number {
    const value = this.#take(key);
    if (value === null) return otherwise;
    if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most)
      return value as number;
    this.refuse(key, `must be a whole number from ${least} to ${most}`);
    return otherwise;
  }

  duration<T extends Milliseconds | null>(key: string, otherwise: T): Milliseconds | T {
    const value = this.#take(key);
    if (value === null) return otherwise;
    const isParsed = this.#isParsed && typeof value === 'number' && value >= 0;
    const parsed = isParsed ? value : typeof value === 'string' ? parseDuration(value) : null;
    if (parsed === null) this.refuse(key, 'must be a duration with its unit, as 10s or 7d');
    return parsed ?? otherwise;
  }

  size(key: string, otherwise: Bytes): Bytes {
    const value = this.#take(key);
    if (value === null) return otherwise;
    const isCount = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
    const parsed = isCount ? value : typeof value === 'string' ? parseSize(value) : null;
    if (parsed === null) this.refuse(key, 'must be a size, as 64KiB or 100MB');
    return parsed ?? otherwise;
  }

  texts(key: string): Readonly<Record<string, string>> {
    const value = this.#take(key);
    if (value === null) return {};
    if (typeof value !== 'object' || Array.isArray(value)) {
      this.refuse(key, 'must be a mapping of texts');
      return {};
    }
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, item]: [string, unknown]) => {
        if (['string', 'number', 'boolean'].includes(typeof item)) return [[name, String(item)]];
        this.refuse(`${key}.${name}`, 'must be a text');
        return [];
      }),
    );
  }

  inner(key: string, isParsed = false): Keys {
    const path = this.#path === '' ? key : `${this.#path}.${key}`;
    return new Keys(this.#take(key), path, this.#issues, isParsed);
  }

  /** Refuses every key with a value that was not asked for. */
  end(): void {
    for (const [key, value] of Object.entries(this.#mapping))
      if (value !== null && value !== undefined && !this.#asked.has(key))
        this.refuse(key, 'is not known here');
  }

  #take(key: string): unknown {
    this.#asked.add(key);
    return this.#mapping[key] ?? null;
  }
}
