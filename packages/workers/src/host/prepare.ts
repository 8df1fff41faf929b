import type { SpawnRequest, WorkerId } from '@hsu-master/core';
import { type Accounts, type Credentials, credentialsOf, type OwnRights } from './accounts.ts';
import { type Attempt, type Diagnosis, diagnose, notInPath, opening } from './diagnose.ts';
import { completeEnvironment, type Environment, findProgram } from './environment.ts';

/** A spawn as hosts see it: a worker’s run, or a helper that belongs to none. */
export interface Launch extends Omit<SpawnRequest, 'workerId' | 'run'> {
  readonly workerId: WorkerId | null;
}

/** What a host knows of the master and its machine. */
export interface Setting {
  /** The variables that workers inherit. */
  readonly inherited: Environment;
  readonly accounts: Accounts;
  readonly own: OwnRights;
}

/** A launch with nothing left to look up. */
export interface Prepared {
  readonly ok: true;
  readonly attempt: Attempt;
  readonly credentials: Credentials;
}

export type Preparation = Prepared | { readonly ok: false; readonly diagnosis: Diagnosis };

/** Resolves user, environment and program, before anything is started. */
export function prepare(launch: Launch, setting: Setting): Preparation {
  const { command, mark, workerId, listens } = launch;
  const attempt = (file: string, env: Attempt['env'], user: Attempt['user']): Attempt => ({
    subject: workerId === null ? null : `worker "${workerId}"`,
    command,
    file,
    env,
    user,
  });
  const [name] = command.argv;
  const credentials = credentialsOf(command, setting.accounts, setting.own);
  if (typeof credentials === 'string') return refuseUser(attempt(name, {}, null), credentials);
  const env = completeEnvironment(
    setting.inherited,
    command,
    mark,
    workerId,
    credentials.user,
    listens.length,
  );
  const { user } = credentials;
  const search = findProgram(command, env, user);
  switch (search.kind) {
    case 'found':
      return { ok: true, attempt: attempt(search.file, env, user), credentials };
    case 'not-executable': {
      const answer = { step: 'exec', code: 'EACCES', call: 'execve' };
      return { ok: false, diagnosis: diagnose(attempt(search.file, env, user), answer) };
    }
    default:
      return { ok: false, diagnosis: notInPath(attempt(name, env, user), search.directories) };
  }
}

function refuseUser(attempt: Attempt, reason: string): Preparation {
  const message = `${opening(attempt)}: ${reason}`;
  return { ok: false, diagnosis: { failure: { code: 'E_USER', message }, transient: false } };
}
