import { promises as files } from 'node:fs';
import type { SecureContextOptions } from 'node:tls';
import { codeOf } from '../file/disk.ts';

/** How a server is recognised, and how this side identifies itself. Files are PEM, named by absolute paths. */
export interface TlsSpec {
  /** Certificates of authorities to trust instead of the system’s; null: the system’s. */
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
  readonly passphrase: string | null;
  /** false: any certificate is taken. */
  readonly verify: boolean;
  /** The name the certificate must have; null: the host’s of the address. */
  readonly serverName: string | null;
}

export const PLAIN_TLS: TlsSpec = {
  caFile: null,
  certFile: null,
  keyFile: null,
  passphrase: null,
  verify: true,
  serverName: null,
};

export interface TlsSettings extends SecureContextOptions {
  readonly rejectUnauthorized: boolean;
  readonly servername?: string;
}

/** Reads the files. Rejects with a sentence that names the one that cannot be read. */
export async function tlsSettings(spec: TlsSpec): Promise<TlsSettings> {
  const [ca, cert, key] = await Promise.all([
    readPem(spec.caFile),
    readPem(spec.certFile),
    readPem(spec.keyFile),
  ]);
  return {
    rejectUnauthorized: spec.verify,
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
    ...(spec.passphrase === null ? {} : { passphrase: spec.passphrase }),
    ...(spec.serverName === null ? {} : { servername: spec.serverName }),
  };
}

async function readPem(path: string | null): Promise<string | null> {
  if (path === null) return null;
  try {
    return await files.readFile(path, 'utf8');
  } catch (error) {
    throw new Error(`cannot read ${path}: ${codeOf(error)}`, { cause: error });
  }
}
