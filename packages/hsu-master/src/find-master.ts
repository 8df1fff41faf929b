import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { socketAddress } from '@hsu-master/api/client';
import { CliError, type Wanted } from '@hsu-master/cli';
import { baseDirectories, choosePlaces, instanceOf, isPrivileged, type PlaceSources } from './places.ts';
import { projectFile } from './project-file.ts';
import { SOCKET_NAME } from './socket-name.ts';

/**
 * The socket of the master that is meant: by `--socket`, `--state-dir`, `-f`, HSU_SOCKET; else that of a project file here or
 * above, else the only one that runs.
 * @throws CliError E_NO_MASTER, E_WHICH_MASTER
 */
export async function findMaster({
  socket,
  stateDirectory,
  configFile,
}: Pick<Wanted, 'socket' | 'stateDirectory' | 'configFile'>): Promise<string> {
  if (socket !== null) return resolve(socket);
  if (stateDirectory !== null) return join(resolve(stateDirectory), 'run', SOCKET_NAME);
  if (configFile !== null) return socketOf(configFile);
  const named = process.env['HSU_SOCKET'];
  if (named) return resolve(named);
  const project = projectFile(process.cwd());
  if (project !== null && existsSync(socketOf(project))) return socketOf(project);
  const found = sockets();
  const [only] = found;
  if (only === undefined) throw noMaster(project);
  if (found.length === 1) return only;
  const alive = (await Promise.all(found.map(async (one) => ((await answers(one)) ? [one] : [])))).flat();
  const [living] = alive;
  if (living === undefined) throw noMaster(project);
  if (alive.length === 1) return living;
  const list = alive.map((one) => `  hsu-master --socket ${one}`).join('\n');
  throw new CliError(
    'E_WHICH_MASTER',
    `${alive.length} masters run here, and none was named`,
    `Name one by its configuration with -f, or by its socket:\n${list}`,
  );
}

function noMaster(project: string | null): CliError {
  const start = `hsu-master up -f ${project ?? 'config.yaml'}`;
  return new CliError('E_NO_MASTER', 'no master runs here', `Start one: ${start}`);
}

function sources(configFile: string): PlaceSources {
  return {
    env: process.env,
    home: homedir(),
    privileged: isPrivileged(process.env),
    stateDirectory: null,
    logDirectory: null,
    instance: instanceOf(configFile),
  };
}

function socketOf(configFile: string): string {
  return join(choosePlaces(sources(configFile)).runDirectory, SOCKET_NAME);
}

/** Sockets of all masters of this user, dead ones included; on Windows of the system’s services, too, which administrators may ask. */
function sockets(): readonly string[] {
  const mine = sources('config.yaml');
  const places = new Set([baseDirectories(mine).run]);
  if (process.platform === 'win32') places.add(baseDirectories({ ...mine, privileged: true }).run);
  return [...places].flatMap((run) => {
    try {
      return readdirSync(run)
        .map((name) => join(run, name, SOCKET_NAME))
        .filter((path) => existsSync(path));
    } catch {
      return [];
    }
  });
}

function answers(path: string): Promise<boolean> {
  const address = socketAddress(path);
  return new Promise((settle) => {
    const finish = (alive: boolean): void => {
      socket.destroy();
      address.release();
      settle(alive);
    };
    const socket = connect(address.path, () => finish(true));
    socket.on('error', () => finish(false));
  });
}
