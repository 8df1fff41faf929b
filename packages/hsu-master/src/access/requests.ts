import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { ApiConfig } from '@hsu-master/config';

/** Begins the name of a subprotocol that holds a token: a page cannot give a WebSocket any other header. */
const BEARER_PROTOCOL = 'bearer.';

/** The token that a request shows; never one in its address, which ends up in logs. */
export function tokenOf({ headers }: Pick<IncomingMessage, 'headers'>): string | null {
  const { authorization } = headers;
  if (authorization !== undefined) return /^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? null;
  const offered = headers['sec-websocket-protocol']?.split(',').map((one) => one.trim()) ?? [];
  return offered.find((one) => one.startsWith(BEARER_PROTOCOL))?.slice(BEARER_PROTOCOL.length) ?? null;
}

/**
 * Whether a request may be sent to this name. Addresses may: whoever rebinds a name to make a page speak with this machine needs a
 * name of his own.
 */
export function isHostAllowed(host: string | undefined, allowed: readonly string[]): boolean {
  if (host === undefined) return false;
  const name = (/^(\[[^\]]*\]|[^:]*)(?::\d{1,5})?$/.exec(host)?.[1] ?? '').toLowerCase().replace(/\.$/, '');
  if (name === '') return false;
  if (isIP(name) !== 0 || (name.startsWith('[') && isIP(name.slice(1, -1)) === 6)) return true;
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  return allowed.some((one) => {
    const known = one.toLowerCase();
    return known.startsWith('*.') ? name.endsWith(known.slice(1)) : name === known;
  });
}

/** Whether the page that sends it may speak with the API. What is no page says no origin. */
export function isOriginAllowed(
  { origin, host }: IncomingMessage['headers'],
  { tls, allowedOrigins }: Pick<ApiConfig, 'tls' | 'allowedOrigins'>,
): boolean {
  if (origin === undefined) return true;
  return allowedOrigins.includes(origin) || origin === `${tls === null ? 'http' : 'https'}://${host}`;
}

/** What a page of another origin is told that it may do. */
export function crossOriginHeaders(origin: string): Record<string, string> {
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
    'access-control-allow-headers': 'authorization, content-type, if-match',
    'access-control-max-age': '600',
    vary: 'origin',
  };
}
