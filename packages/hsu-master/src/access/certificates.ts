import { type FSWatcher, readFileSync, realpathSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { SecureContextOptions, Server } from 'node:tls';
import type { TlsConfig } from '@hsu-master/config';
import { type EventDraft, HsuError, type Milliseconds } from '@hsu-master/core';

const tls = () => process.getBuiltinModule('node:tls');

/** Both files are written one after the other. */
const SETTLE: Milliseconds = 200;
/** Where no watch hears of it: files of a network, folders that were replaced. */
const LOOK: Milliseconds = 60_000;

/** What a server takes. No version before TLS 1.2. */
export type TlsOptions = SecureContextOptions & {
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
};

/** @throws HsuError E_ADDRESS where a file cannot be read, or key and certificate do not belong together */
export function readCertificates({ cert, key, clientCa }: TlsConfig): TlsOptions {
  try {
    const options = {
      cert: readFileSync(cert),
      key: readFileSync(key),
      ...(clientCa === null ? {} : { ca: readFileSync(clientCa) }),
      minVersion: 'TLSv1.2',
    } as const;
    tls().createSecureContext(options);
    return { ...options, requestCert: clientCa !== null, rejectUnauthorized: clientCa !== null };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HsuError(
      'E_ADDRESS',
      `cannot use the certificate ${cert} with the key ${key}: ${reason}`,
      {},
      error,
    );
  }
}

export interface Rotation {
  /** A new pair that can be used. */
  replaced(options: TlsOptions): void;
  refused(reason: string): void;
}

/** Reads the files again when they were changed, by writing or by replacing them. Returns what ends it. */
export function watchCertificates(files: TlsConfig, { replaced, refused }: Rotation): () => void {
  const paths = [files.cert, files.key, ...(files.clientCa === null ? [] : [files.clientCa])];
  let known = contentOf(paths);
  let settling: NodeJS.Timeout | null = null;
  let watchers: readonly FSWatcher[] = [];
  const look = (): void => {
    settling = null;
    const now = contentOf(paths);
    if (now === known) return;
    known = now;
    try {
      replaced(readCertificates(files));
    } catch (error) {
      refused(error instanceof Error ? error.message : String(error));
    }
    // A link may lead elsewhere now.
    listen();
  };
  const hear = (): void => {
    settling ??= setTimeout(look, SETTLE).unref();
  };
  const listen = (): void => {
    for (const watcher of watchers) watcher.close();
    watchers = foldersOf(paths).flatMap((folder) => watchOf(folder, hear));
  };
  listen();
  const clock = setInterval(look, LOOK).unref();
  return () => {
    clearInterval(clock);
    if (settling !== null) clearTimeout(settling);
    for (const watcher of watchers) watcher.close();
  };
}

/** Gives a server what its files hold whenever they change. Returns what ends it. */
export function rotate(
  server: Pick<Server, 'setSecureContext'>,
  files: TlsConfig,
  tell: (event: EventDraft) => void,
): () => void {
  return watchCertificates(files, {
    replaced(options) {
      server.setSecureContext(options);
      tell({ type: 'api.certificate-loaded', payload: { file: files.cert } });
    },
    refused: (reason) => tell({ type: 'api.certificate-refused', payload: { file: files.cert, reason } }),
  });
}

function foldersOf(paths: readonly string[]): readonly string[] {
  const folders = paths.flatMap((path) => {
    try {
      return [dirname(path), dirname(realpathSync(path))];
    } catch {
      return [dirname(path)];
    }
  });
  return [...new Set(folders)];
}

function watchOf(folder: string, hear: () => void): readonly FSWatcher[] {
  try {
    const watcher = watch(folder, { persistent: false }, hear);
    watcher.on('error', () => {});
    return [watcher];
  } catch {
    return [];
  }
}

function contentOf(paths: readonly string[]): string {
  const hash = process.getBuiltinModule('node:crypto').createHash('sha256');
  for (const path of paths) {
    try {
      hash.update(readFileSync(path));
    } catch (error) {
      hash.update(String(error));
    }
  }
  return hash.digest('hex');
}
