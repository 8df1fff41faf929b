import { resolve } from 'node:path';
import type { ApiConfig } from './config.ts';
import type { Findings } from './findings.ts';
import type { WrittenApi } from './schema/api.ts';
import { atHome, type Place } from './surroundings.ts';

const RATE = 100;

/** The API with absolute paths; null: only the socket. */
export function toApi(written: WrittenApi | undefined, place: Place, findings: Findings): ApiConfig | null {
  if (written === undefined || findings.hasErrorBelow(['api'])) return null;
  const { listen, tls, allow_plaintext: isPlainAllowed = false } = written;
  if (listen === undefined) {
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
    tls:
      tls === undefined
        ? null
        : {
            cert: absolute(tls.cert),
            key: absolute(tls.key),
            clientCa: tls.client_ca === undefined ? null : absolute(tls.client_ca),
          },
    allowedHosts: written.allowed_hosts ?? [],
    allowedOrigins: written.allowed_origins ?? [],
    rateLimit: written.rate_limit ?? RATE,
  };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
