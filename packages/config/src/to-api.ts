import { resolve } from 'node:path';
import type { ApiConfig, TlsConfig } from './config.ts';
import type { Findings } from './findings.ts';
import type { WrittenApi } from './schema/api.ts';
import { atHome, type Place } from './surroundings.ts';

/** Where the configuration says nothing. */
export const RATE = 100;

/** The API with absolute paths; null: only the socket. */
export function toApi(
  written: WrittenApi | undefined,
  servesGrpc: boolean,
  place: Place,
  findings: Findings,
): ApiConfig | null {
  if (written === undefined || findings.hasErrorBelow(['api'])) return null;
  const { listen, tls, allow_plaintext: isPlainAllowed = false } = written;
  if (listen === undefined) {
    // Certificates and rates are those of gRPC, too.
    if (servesGrpc) return null;
    findings.noticeAt('api.listen', ['api'], () => ({
      message: 'without "listen" the master is asked over its socket alone',
      hint: 'write listen: 127.0.0.1:7400',
    }));
    return null;
  }
  const at = ['api', 'listen'];
  if (tls === undefined && !isLoopback(listen.host)) {
    const message = `tokens would go over the network as plain text, since ${listen.host} is not this machine’s own address and there is no api.tls`;
    if (isPlainAllowed) findings.noticeAt('plaintext', at, () => ({ message }));
    else
      findings.errorAt(at, {
        message,
        hint: 'give api.tls a certificate and key, listen at 127.0.0.1 behind a proxy that has them, or set api.allow_plaintext',
      });
  }
  const absolute = (path: string): string => resolve(place.directory, atHome(path, place));
  for (const key of ['cert', 'key', 'client_ca'] as const) {
    const path = tls?.[key];
    if (path === undefined || place.exists(absolute(path))) continue;
    findings.noticeAt(`missing ${key}`, ['api', 'tls', key], () => ({
      message: `${absolute(path)} does not exist`,
      hint: 'the master does not start without it',
    }));
  }
  return {
    listen,
    tls: toTls(tls, place),
    allowedHosts: written.allowed_hosts ?? [],
    allowedOrigins: written.allowed_origins ?? [],
    rateLimit: written.rate_limit ?? RATE,
  };
}

/** With absolute paths. */
export function toTls(written: WrittenApi['tls'], place: Place): TlsConfig | null {
  if (written === undefined) return null;
  const absolute = (path: string): string => resolve(place.directory, atHome(path, place));
  const { cert, key, client_ca: clientCa } = written;
  return {
    cert: absolute(cert),
    key: absolute(key),
    clientCa: clientCa === undefined ? null : absolute(clientCa),
  };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
