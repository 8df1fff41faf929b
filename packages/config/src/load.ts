import { dirname, resolve } from 'node:path';
import type { WorkerSpec } from '@hsu-master/core';
import type { ApiConfig, GrpcConfig, MasterConfig } from './config.ts';
import { Findings } from './findings.ts';
import { freeze } from './freeze.ts';
import { type ConfigIssue, issueAt } from './issue.ts';
import { checkBudgets, checkMembers } from './members.ts';
import { normalise } from './normalise/config.ts';
import { lay, type Overlay } from './overlay.ts';
import { readDocument } from './read-document.ts';
import { checkIds, checkSense, type Identity } from './rules.ts';
import { SourceText } from './source.ts';
import { placeOf, type Surroundings } from './surroundings.ts';
import { toApi } from './to-api.ts';
import { toGrpc } from './to-grpc.ts';
import { toSpecs } from './to-specs.ts';
import { type LogsConfig, toLogs } from './to-targets.ts';
import { parse } from './yaml/parse.ts';
import { isNull, type Parsed } from './yaml/tree.ts';

/** A configuration that was accepted. */
export interface LoadedConfig {
  readonly file: string;
  readonly master: MasterConfig;
  /** null: the master is asked over its socket alone. */
  readonly api: ApiConfig | null;
  /** null: the master does not answer gRPC. */
  readonly grpc: GrpcConfig | null;
  /** Enabled and disabled ones, in the order of the file. */
  readonly workers: readonly WorkerSpec[];
  /** Where lines go beside the workers’ own files, and who is told of them. */
  readonly logs: LogsConfig;
  readonly warnings: readonly ConfigIssue[];
}

export type LoadResult =
  | { readonly ok: true; readonly config: LoadedConfig }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

/** A text and what it is called; with workers that are others than it says. */
export interface ConfigSource {
  readonly file: string;
  readonly text: string;
  readonly overlay?: Overlay;
}

/**
 * Turns the text of a configuration into frozen worker specs, or into all its mistakes at once. Never throws for what is in
 * the text. The file is only named here, not read: see `readConfigFile`.
 */
export function loadConfig(source: ConfigSource, surroundings: Surroundings): LoadResult {
  const parsed = parse(source.text);
  const { overlay } = source;
  if (!parsed.ok || overlay === undefined) return read(source, parsed, surroundings);
  const laid = lay(source.text, parsed.root, overlay);
  const result = read({ ...source, text: laid.text }, { ok: true, root: laid.root }, surroundings);
  if (!result.ok) return { ok: false, issues: freeze(result.issues.map(laid.place)) };
  const warnings = freeze(result.config.warnings.map(laid.place));
  return { ok: true, config: freeze({ ...result.config, warnings }) };
}

function read(source: ConfigSource, parsed: Parsed, surroundings: Surroundings): LoadResult {
  const text = new SourceText(source.file, source.text);
  if (!parsed.ok) {
    const issues = parsed.faults.map((fault) => issueAt(text, 'error', fault.offset, [], fault));
    return { ok: false, issues: freeze(issues) };
  }
  const findings = new Findings(text, parsed.root);
  if (parsed.root.kind !== 'map' && !isNull(parsed.root)) {
    const message = `a configuration is a map of keys to values, this is a ${parsed.root.kind === 'list' ? 'list' : 'single text'}`;
    const hint = 'begin with "workers:"';
    return { ok: false, issues: freeze([issueAt(text, 'error', parsed.root.offset, [], { message, hint })]) };
  }
  const identities: Identity[] = [];
  const written = readDocument(parsed.root, findings, surroundings.env, identities);
  const config = normalise(written, findings);
  checkIds(identities, findings);
  checkMembers(identities, config.quotas, findings);
  checkSense(config, findings);
  checkBudgets(config, findings);
  const directory = dirname(resolve(surroundings.cwd, source.file));
  const place = placeOf(directory, surroundings, config.keeping.workerDirectory);
  const workers = toSpecs(config, place, findings);
  const { checkTarget: check = () => [] } = surroundings;
  const logs = toLogs(config, workers, { place, check }, findings);
  const api = toApi(written.api, written.master?.port !== undefined, place, findings);
  const grpc = toGrpc(written, place, findings);
  if (findings.errorCount > 0) return { ok: false, issues: freeze(findings.errors()) };
  const { master } = config;
  return {
    ok: true,
    config: freeze({ file: source.file, master, api, grpc, workers, logs, warnings: findings.warnings() }),
  };
}
