import { Client, type Health, type Version } from '@hsu-master/api/client';
import type { Finding } from './doctor.ts';
import type { Flags } from './flags.ts';
import { placeOfMaster } from './place-of-master.ts';
import { ownVersion } from './version.ts';

/** What a running master says of itself; null: none runs. */
export interface MasterFindings {
  readonly findings: readonly Finding[];
  readonly master: { readonly version: Version; readonly health: Health } | null;
}

/** How many workers are named. */
const NAMED = 5;

/** Asks the master that is meant, if there is one. */
export async function askMaster(flags: Flags): Promise<MasterFindings> {
  let client: Client | null = null;
  try {
    const place = await placeOfMaster({
      socket: null,
      configFile: flags.file ?? flags.config ?? null,
      stateDirectory: flags['state-dir'] ?? null,
      address: null,
      tokenFile: null,
      ca: null,
    });
    client = new Client(place);
    const [version, health, { workers }] = await Promise.all([
      client.version(),
      client.health(),
      client.workers(),
    ]);
    const late = workers.filter(({ desired, ready, completed }) => desired === 'up' && !ready && !completed);
    return {
      findings: [
        ofMaster(version),
        ...(version.lacksAddon === null ? [] : [lacks(version.lacksAddon)]),
        ofWorkers(health, late),
      ],
      master: { version, health },
    };
  } catch (error) {
    const { code = '', message } = error as Error & { readonly code?: string };
    if (!code.startsWith('E_')) throw error;
    // None is none of a machine's defects; one that cannot be asked is.
    const none = code === 'E_NO_MASTER' || code === 'E_WHICH_MASTER';
    const says = code === 'E_NO_MASTER' ? 'none runs' : message;
    return { findings: [{ about: 'master', status: none ? 'good' : 'less', says }], master: null };
  } finally {
    client?.close();
  }
}

function ofMaster({ version, pid, configFile }: Version): Finding {
  const own = ownVersion();
  const about = 'master';
  const says = `pid ${pid}, version ${version}, ${configFile}`;
  return version === own
    ? { about, status: 'good', says }
    : {
        about,
        status: 'less',
        says: `${says}; this command is ${own}: hsu-master upgrade ${configFile}`,
      };
}

function lacks(reason: string): Finding {
  return { about: 'addon of the master', status: 'less', says: reason };
}

function ofWorkers(
  { workers: { wanted, ready } }: Health,
  late: readonly { readonly id: string; readonly doing: string }[],
): Finding {
  const about = 'workers';
  const says = `${ready} ready, ${wanted} wanted`;
  if (late.length === 0) return { about, status: 'good', says };
  const named = late.slice(0, NAMED).map(({ id, doing }) => `${id} (${doing})`);
  const more = late.length > named.length ? ` and ${late.length - named.length} more` : '';
  return {
    about,
    status: 'less',
    says: `${says}; not ready: ${named.join(', ')}${more}; hsu-master why ${late[0]?.id ?? ''}`,
  };
}
