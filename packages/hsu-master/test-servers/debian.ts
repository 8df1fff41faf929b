import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Stage } from '../test/drive.ts';

const POSTGRESQL = '/usr/lib/postgresql';

/** Where servers lie that are not on every user's PATH. */
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];

/** Path of a program. @throws Error that names the package to install */
export function program(name: string, fromPackage: string): string {
  const found = FOLDERS.map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error(`${name} is not installed, and these tests need it: apt-get install ${fromPackage}`);
}

/** Path of a program of the newest PostgreSQL that is installed. */
export function postgresProgram(name: string): string {
  const versions = existsSync(POSTGRESQL) ? readdirSync(POSTGRESQL) : [];
  const newest = versions.map(Number).sort((a, b) => b - a)[0];
  const path = join(POSTGRESQL, String(newest), 'bin', name);
  if (newest !== undefined && existsSync(path)) return path;
  throw new Error(`${path} is not there, and these tests need it: apt-get install postgresql`);
}

/** Who PostgreSQL runs as: it refuses root. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export function postgresAccount(): Account {
  if (process.getuid?.() !== 0) {
    const name = execFileSync('id', ['-un'], { encoding: 'utf8' }).trim();
    return { name, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  }
  const number = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { name: 'postgres', uid: number('-u'), gid: number('-g') };
}

/** Makes an empty database cluster; returns its directory. */
export function makeCluster(stage: Stage, account: Account): string {
  const data = stage.path('postgres');
  mkdirSync(data, { mode: 0o700 });
  chownSync(data, account.uid, account.gid);
  const words = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  execFileSync(postgresProgram('initdb'), words, {
    uid: account.uid,
    gid: account.gid,
    cwd: data,
    env: { PATH: process.env.PATH },
    stdio: 'pipe',
  });
  return data;
}

/** A configuration of nginx that answers `GET /` with `hello`, and `GET /health` while `www/health` is there. */
export function nginxConfiguration(stage: Stage, port: number, daemon: 'on' | 'off' = 'off'): string {
  mkdirSync(stage.path('www'));
  mkdirSync(stage.path('nginx'));
  stage.write('www/index.html', 'hello\n');
  stage.write('www/health', 'well\n');
  const place = stage.path('nginx');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return stage.write(
    'nginx/nginx.conf',
    `daemon ${daemon};
worker_processes 3;
pid ${place}/nginx.pid;
error_log ${place}/error.log notice;
events { worker_connections 64; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${place}/${name};`).join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    root ${stage.path('www')};
  }
}
`,
  );
}
