import { readFileSync } from 'node:fs';
import type { Capability, Command } from '@hsu-master/core';

/** One user of the system. */
export interface UserEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** All its groups, the primary one included. */
  readonly groups: readonly number[];
  readonly home: string;
}

/** Who is known on this machine, by name or number. */
export interface Accounts {
  user(nameOrId: string): UserEntry | null;
  group(nameOrId: string): number | null;
}

/** What the master itself is and may do. */
export interface OwnRights {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** Whether it may become other users and groups. */
  readonly maySwitch: boolean;
}

/** Who a process runs as; null leaves the master’s own. */
export interface Credentials {
  readonly uid: number | null;
  readonly gid: number | null;
  readonly groups: readonly number[] | null;
  /** Set where the user is another one than the master’s. */
  readonly user: UserEntry | null;
}

const AS_MASTER: Credentials = { uid: null, gid: null, groups: null, user: null };
const CAP_SETGID = 6n;
const CAP_SETUID = 7n;

/** Reads the rights of this very process. */
export function ownRights(): OwnRights {
  const uid = process.geteuid?.() ?? 0;
  return {
    uid,
    gid: process.getegid?.() ?? 0,
    groups: process.getgroups?.() ?? [],
    maySwitch: maySwitch(uid),
  };
}

/** Whether workers may run as others. */
export function switchingUsers({ maySwitch, uid }: OwnRights): Capability {
  return maySwitch
    ? { feature: 'switch-user', status: 'enforced', reason: 'the master may become any user and group' }
    : {
        feature: 'switch-user',
        status: 'impossible',
        reason: `uid ${uid} has no CAP_SETUID and CAP_SETGID`,
      };
}

/** Root in a container may lack the capability, and another user may have it. */
function maySwitch(uid: number): boolean {
  try {
    const line = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'));
    const effective = BigInt(`0x${line?.[1] ?? '0'}`);
    return ((effective >> CAP_SETUID) & (effective >> CAP_SETGID) & 1n) === 1n;
  } catch {
    return uid === 0;
  }
}

/** Turns the names of a command into numbers, or says in one phrase why that user or group cannot be had. */
export function credentialsOf(command: Command, accounts: Accounts, own: OwnRights): Credentials | string {
  if (command.user === null && command.group === null && command.groups === null) return AS_MASTER;
  const user = command.user === null ? null : findUser(command.user, command.group !== null, accounts);
  if (typeof user === 'string') return user;
  const gid = command.group === null ? (user?.gid ?? null) : accounts.group(command.group);
  if (command.group !== null && gid === null) return `there is no group "${command.group}"`;
  const groups: number[] = [];
  for (const name of command.groups ?? []) {
    const group = accounts.group(name);
    if (group === null) return `there is no group "${name}" (supplementary groups)`;
    groups.push(group);
  }
  const wanted: Credentials = {
    uid: user?.uid ?? null,
    gid,
    groups: command.groups === null ? (user?.groups ?? null) : groups,
    user: user !== null && user.uid !== own.uid ? user : null,
  };
  if (own.maySwitch) return wanted;
  const foreign = notOwn(command, wanted, own);
  return foreign ?? AS_MASTER;
}

function findUser(nameOrId: string, hasGroup: boolean, accounts: Accounts): UserEntry | string {
  const entry = accounts.user(nameOrId);
  if (entry !== null) return entry;
  if (!/^\d+$/.test(nameOrId)) return `there is no user "${nameOrId}"`;
  if (!hasGroup)
    return `user ${nameOrId} has no entry in the user database, so its group must be given as well`;
  return { name: nameOrId, uid: Number(nameOrId), gid: Number(nameOrId), groups: [], home: '/' };
}

/** Who may not switch gets what it is already. */
function notOwn(command: Command, wanted: Credentials, own: OwnRights): string | null {
  const may = `the master runs as uid ${own.uid} and may not switch users (CAP_SETUID, CAP_SETGID)`;
  if (wanted.uid !== null && wanted.uid !== own.uid)
    return `user "${command.user}" was asked for, but ${may}`;
  const mine = new Set([...own.groups, own.gid]);
  if (wanted.gid !== null && wanted.gid !== own.gid) {
    return `group "${command.group ?? wanted.gid}" was asked for, but ${may}`;
  }
  if (command.groups !== null) {
    const same =
      wanted.groups?.every((group) => mine.has(group)) === true && wanted.groups.length >= own.groups.length;
    if (!same) return `other supplementary groups were asked for, but ${may}`;
  }
  return null;
}

/** The accounts of /etc/passwd and /etc/group only, for hosts without the addon: users of a directory service are not seen. */
export const fileAccounts: Accounts = {
  user(nameOrId) {
    const row = records('/etc/passwd').find((fields) => fields[0] === nameOrId || fields[2] === nameOrId);
    if (row === undefined) return null;
    const [name = '', , uid, gid, , home = '/'] = row;
    const groups = records('/etc/group').filter((fields) => fields[3]?.split(',').includes(name) === true);
    const all = new Set([Number(gid), ...groups.map((fields) => Number(fields[2]))]);
    return { name, uid: Number(uid), gid: Number(gid), groups: [...all], home };
  },
  group(nameOrId) {
    const row = records('/etc/group').find((fields) => fields[0] === nameOrId || fields[2] === nameOrId);
    if (row !== undefined) return Number(row[2]);
    return /^\d+$/.test(nameOrId) ? Number(nameOrId) : null;
  },
};

function records(file: string): string[][] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
  } catch {
    return [];
  }
}
