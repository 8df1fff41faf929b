import { resolve } from 'node:path';
import {
  type ConfigSource,
  changedSettings,
  formatIssue,
  type LoadedConfig,
  type LoadResult,
  type Overlay,
  writtenIds,
} from '@hsu-master/config';
import {
  type Accepted,
  type BasedOn,
  type ChangeOutcome,
  type Clock,
  type ConfigPlan,
  type ConfigView,
  type EventDraft,
  HsuError,
  isSame,
  masked,
  maskText,
  type Planned,
  planOf,
  type Validation,
  type WorkerId,
  type WorkerSpec,
} from '@hsu-master/core';
import { fileOfKept, type KeptConfiguration, keep, readKept, sumOf } from './kept-configuration.ts';

/** What carries out a configuration. */
export interface Carrier {
  /** As they are now. */
  specs(): readonly WorkerSpec[];
  /** @throws HsuError E_SHUTTING_DOWN */
  carry(config: LoadedConfig): Promise<ChangeOutcome>;
  publish(event: EventDraft): void;
}

interface Parts {
  /** The master’s configuration file, or what it is called where there is none. */
  readonly file: string;
  /** The text of that file now. @throws HsuError E_CONFIG_READ */
  readonly readText: () => string;
  readonly stateDirectory: string;
  readonly clock: Clock;
  readonly load: (source: ConfigSource) => LoadResult;
}

/** A text with what was changed of it one by one, and what that comes to. */
interface State extends KeptConfiguration {
  readonly config: LoadedConfig;
  readonly text: string;
}

type Draft = Pick<KeptConfiguration, 'fileSum' | 'applied' | 'written' | 'removed'> & {
  readonly text: string;
};

/** The configuration that a master holds, and the way to another one: read, compared, kept, carried out. */
export class Configuration {
  readonly #parts: Parts;
  /** Where that is now which was kept and cannot be used; null: nothing was damaged. */
  readonly #refused: string | null;
  #state: State;
  #carrier: Carrier | null = null;
  /** Changes are accepted one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * What was accepted last, unless the configuration file was changed since.
   * @throws HsuError E_CONFIG, E_STATE
   */
  constructor(parts: Parts, text: string) {
    this.#parts = parts;
    const { kept, refused } = readKept(parts.stateDirectory);
    this.#refused = refused;
    const fileSum = sumOf(text);
    const draft = draftOf(kept, fileSum, text);
    const revision = kept === null ? 1 : kept.revision + (kept.fileSum === fileSum ? 0 : 1);
    const acceptedAt = kept?.fileSum === fileSum ? kept.acceptedAt : parts.clock.wallNow();
    const config = accepted(this.#load(draft), true);
    this.#state = { ...draft, config, revision, acceptedAt };
  }

  /** As it holds now. */
  get config(): LoadedConfig {
    return this.#state.config;
  }

  /** From now on it can be changed. What was accepted by an earlier master is said. */
  attach(carrier: Carrier): void {
    this.#carrier = carrier;
    if (this.#refused !== null) {
      const reason = `it is damaged and was set aside as ${this.#refused}; the configuration file counts`;
      const file = fileOfKept(this.#parts.stateDirectory);
      carrier.publish({ type: 'config.rejected', payload: { file, by: 'start', reason } });
    }
    const { revision, applied, config } = this.#state;
    if (revision === 1) return;
    // Who changes the file back later does not want what was applied before it was changed.
    this.#turn = keep(this.#parts.stateDirectory, keptOf(this.#state)).catch(() => {});
    carrier.publish({ type: 'config.loaded', payload: this.#loaded(revision, applied !== null, config) });
  }

  /** Resolves when nothing is being accepted or written any more. No change is accepted from now on. */
  async close(): Promise<void> {
    this.#carrier = null;
    await this.#turn;
  }

  view(): ConfigView {
    const { revision, applied, acceptedAt, text, written, removed } = this.#state;
    const known = writtenIds(text);
    const changed = Object.keys(written);
    return {
      revision,
      file: this.#parts.file,
      source: applied === null ? 'file' : 'applied',
      acceptedAt,
      created: changed.filter((id) => !known.has(id)),
      replaced: changed.filter((id) => known.has(id)),
      removed,
      workers: this.#specs().map((spec) => masked([], spec) as Readonly<Record<string, unknown>>),
    };
  }

  /** @param source null: the configuration file */
  async plan(source: { readonly text: string; readonly file: string } | null): Promise<Planned> {
    await this.#turn;
    const draft = source === null ? this.#reread() : this.#applied(source);
    const result = this.#load(draft);
    const issues = issuesOf(result);
    const { revision } = this.#state;
    if (!result.ok) return { ok: false, issues, workers: [], revision, plan: null };
    const workers = result.config.workers.map(({ id }) => id);
    return { ok: true, issues, workers, revision, plan: this.#planTo(result.config) };
  }

  apply(
    source: { readonly text: string; readonly file: string },
    by: string,
    basedOn: BasedOn,
  ): Promise<Accepted> {
    return this.#accept(source.file, by, basedOn, () => this.#applied(source));
  }

  reload(by: string): Promise<Accepted> {
    return this.#accept(this.#parts.file, by, null, () => this.#reread());
  }

  async create(written: object, by: string, basedOn: BasedOn): Promise<Accepted & { readonly id: WorkerId }> {
    const id = idOf(written);
    const accepted = await this.#accept(`worker "${id}"`, by, basedOn, () => {
      if (this.#state.config.workers.some((spec) => spec.id === id))
        throw new HsuError('E_DUPLICATE_WORKER', `worker "${id}" is there already`, { id });
      return this.#written(id, written);
    });
    return { ...accepted, id };
  }

  replace(id: WorkerId, written: object, by: string, basedOn: BasedOn): Promise<Accepted> {
    return this.#accept(`worker "${id}"`, by, basedOn, () => {
      this.#mustHave(id);
      return this.#written(id, { id, ...written });
    });
  }

  remove(id: WorkerId, by: string, basedOn: BasedOn): Promise<Accepted> {
    return this.#accept(`worker "${id}"`, by, basedOn, () => {
      this.#mustHave(id);
      const { [id]: _, ...written } = this.#state.written;
      const isOfText = writtenIds(this.#state.text).has(id);
      const removed = isOfText ? [...new Set([...this.#state.removed, id])] : this.#state.removed;
      return { ...this.#state, written, removed };
    });
  }

  #mustHave(id: WorkerId): void {
    if (this.#state.config.workers.some((spec) => spec.id === id)) return;
    throw new HsuError('E_UNKNOWN_WORKER', `there is no worker "${id}"`, { id });
  }

  #written(id: WorkerId, written: object): Draft {
    if (idOf(written) !== id)
      throw new HsuError('E_REQUEST', `worker "${id}": its id cannot be changed to "${idOf(written)}"`, {
        id,
      });
    const removed = this.#state.removed.filter((one) => one !== id);
    return { ...this.#state, written: { ...this.#state.written, [id]: JSON.stringify(written) }, removed };
  }

  #reread(): Draft {
    const text = this.#parts.readText();
    return { text, fileSum: sumOf(text), applied: null, written: this.#createdBeside(text), removed: [] };
  }

  #applied({ text, file: given }: { readonly text: string; readonly file: string }): Draft {
    const file = resolve(given);
    const own = this.#ownText();
    const isOwn = text === own && file === this.#parts.file;
    return {
      text,
      fileSum: own === null ? this.#state.fileSum : sumOf(own),
      applied: isOwn ? null : { text, file },
      written: this.#createdBeside(text),
      removed: [],
    };
  }

  /** null: it cannot be read now. */
  #ownText(): string | null {
    try {
      return this.#parts.readText();
    } catch {
      return null;
    }
  }

  /** Those that were made one by one and are not of that text: they are none of its business. */
  #createdBeside(text: string): Readonly<Record<string, string>> {
    const { written } = this.#state;
    const [before, after] = [writtenIds(this.#state.text), writtenIds(text)];
    return Object.fromEntries(Object.entries(written).filter(([id]) => !before.has(id) && !after.has(id)));
  }

  #load({ text, applied, written, removed }: Draft): LoadResult {
    const overlay: Overlay = { written: new Map(Object.entries(written)), removed: new Set(removed) };
    const file = applied?.file ?? this.#parts.file;
    const isPlain = overlay.written.size === 0 && overlay.removed.size === 0;
    return this.#parts.load(isPlain ? { file, text } : { file, text, overlay });
  }

  #specs(): readonly WorkerSpec[] {
    return this.#carrier?.specs() ?? this.#state.config.workers;
  }

  #planTo(config: LoadedConfig): ConfigPlan {
    return {
      ...planOf(this.#specs(), config.workers),
      settings: changedSettings(this.#state.config, config),
    };
  }

  #accept(file: string, by: string, basedOn: BasedOn, change: () => Draft): Promise<Accepted> {
    const accepting = this.#turn.then(() => this.#acceptNow(file, by, basedOn, change));
    this.#turn = accepting.catch(() => {});
    return accepting;
  }

  async #acceptNow(file: string, by: string, basedOn: BasedOn, change: () => Draft): Promise<Accepted> {
    const carrier = this.#carrier;
    if (carrier === null) throw new HsuError('E_SHUTTING_DOWN', 'the master holds no workers now');
    const { revision: before } = this.#state;
    if (basedOn !== null && basedOn !== before)
      throw new HsuError('E_STALE', `the change is based on revision ${basedOn}; now it is ${before}`);
    const { state, result } = this.#read(file, by, change);
    const { revision, acceptedAt } = state;
    const warnings = issuesOf(result);
    const plan = this.#planTo(state.config);
    const isEmpty = plan.workers.length === 0 && plan.settings.length === 0;
    if (isEmpty && isSame(keptOf(state), { ...keptOf(this.#state), revision, acceptedAt }))
      return { revision: before, plan, warnings, settled: Promise.resolve({ state: 'done', failures: [] }) };
    await keep(this.#parts.stateDirectory, keptOf(state));
    this.#state = state;
    const { applied, config } = state;
    carrier.publish({ type: 'config.loaded', payload: this.#loaded(revision, applied !== null, config) });
    const settled = carried(carrier, config).then((outcome) => {
      carrier.publish({
        type: 'config.applied',
        payload: { revision, by, state: outcome.state, ...told(plan) },
      });
      return outcome;
    });
    return { revision, plan, warnings, settled };
  }

  #read(
    file: string,
    by: string,
    change: () => Draft,
  ): { readonly state: State; readonly result: LoadResult } {
    try {
      const draft = change();
      const result = this.#load(draft);
      const config = accepted(result, false);
      const { revision } = this.#state;
      const acceptedAt = this.#parts.clock.wallNow();
      return { state: { ...draft, config, revision: revision + 1, acceptedAt }, result };
    } catch (error) {
      if (error instanceof HsuError && (error.code === 'E_CONFIG' || error.code === 'E_CONFIG_READ'))
        this.#carrier?.publish({ type: 'config.rejected', payload: { file, by, reason: inShort(error) } });
      throw error;
    }
  }

  #loaded(revision: number, isApplied: boolean, { workers }: LoadedConfig) {
    const source = isApplied ? ('applied' as const) : ('file' as const);
    return { revision, file: this.#parts.file, source, workers: workers.length };
  }
}

/** Where the file is another one than it was, it counts, and beside it what was made one by one that it does not have. */
function draftOf(kept: KeptConfiguration | null, fileSum: string, text: string): Draft {
  const plain = { text, fileSum, applied: null, written: {}, removed: [] };
  if (kept === null) return plain;
  const { applied, written, removed } = kept;
  if (kept.fileSum === fileSum) return { text: applied?.text ?? text, fileSum, applied, written, removed };
  const known = writtenIds(text);
  return { ...plain, written: Object.fromEntries(Object.entries(written).filter(([id]) => !known.has(id))) };
}

function keptOf({
  revision,
  acceptedAt,
  fileSum,
  applied,
  written,
  removed,
}: KeptConfiguration): KeptConfiguration {
  return { revision, acceptedAt, fileSum, applied, written, removed };
}

/** Never rejects. */
async function carried(carrier: Carrier, config: LoadedConfig): Promise<ChangeOutcome> {
  try {
    return await carrier.carry(config);
  } catch (error) {
    const code = error instanceof HsuError ? error.code : 'E_INTERNAL';
    const message = error instanceof Error ? error.message : String(error);
    return { state: 'failed', failures: [{ code, message, workerId: null }] };
  }
}

function told({ workers }: ConfigPlan) {
  const of = (holds: (change: ConfigPlan['workers'][number]) => boolean): readonly WorkerId[] =>
    workers.filter(holds).map(({ id }) => id);
  return {
    added: of(({ kind }) => kind === 'added'),
    removed: of(({ kind }) => kind === 'removed'),
    changed: of(({ kind }) => kind === 'changed'),
    restarted: of(({ action }) => action === 'restart'),
  };
}

function idOf(written: object): WorkerId {
  const { id } = written as { readonly id?: unknown };
  if (typeof id === 'string' && id !== '') return id;
  throw new HsuError('E_REQUEST', 'a worker is written with its id');
}

function issuesOf(result: LoadResult): Validation['issues'] {
  const issues = result.ok ? result.config.warnings : result.issues;
  return issues.map(({ severity, line, column, path, message, hint }) => ({
    severity,
    line,
    column,
    path,
    message,
    hint,
  }));
}

/** Events are for all who may see events: what is written in the file is none of their business. */
function inShort({ message, detail }: HsuError): string {
  const issues = detail['issues'] as (LoadResult & { ok: false })['issues'] | undefined;
  const [first] = issues ?? [];
  if (first === undefined) return maskText(message);
  const more = (issues?.length ?? 0) > 1 ? `, and ${(issues?.length ?? 0) - 1} more` : '';
  const path = first.path === '' ? '' : `${first.path}: `;
  return maskText(`line ${first.line}: ${path}${first.message}${more}`);
}

/**
 * @param quotes show the lines that are meant, which may hold secrets
 * @throws HsuError E_CONFIG with all issues in the message
 */
function accepted(result: LoadResult, quotes: boolean): LoadedConfig {
  if (result.ok) return result.config;
  const told = result.issues.map((issue) => (quotes ? issue : { ...issue, excerpt: null }));
  const text = told.map((issue) => formatIssue(issue, { colour: false })).join('\n');
  throw new HsuError('E_CONFIG', `the configuration is not valid:\n${text}`, { issues: result.issues });
}
