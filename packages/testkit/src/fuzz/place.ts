import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';

/** Where it listens that is attacked: a port of this machine, or a socket. */
export type AttackedPlace = { readonly host: string; readonly port: number } | { readonly path: string };

/** How long an answer is waited for that may never come, in milliseconds. */
const PATIENCE = 60;

/** Sends bytes, and resolves with what came back when the other side has ended the connection, at the latest after `patience`. */
export function pour(
  place: AttackedPlace,
  bytes: Uint8Array | string,
  patience: number = PATIENCE,
): Promise<string> {
  return new Promise((resolve) => {
    const socket: Socket = connect(place);
    let said = '';
    const end = (): void => void socket.destroy();
    const given = setTimeout(end, patience);
    socket.setEncoding('latin1').on('error', () => {});
    socket.on('data', (chunk: string) => {
      if (said.length < 10_000) said += chunk;
    });
    socket.once('end', end).once('close', () => {
      clearTimeout(given);
      resolve(said);
    });
    socket.end(bytes);
  });
}

/** One request of HTTP. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Nothing of an answer that has no end by itself. */
  readonly text: string;
}

/** null: Node would not send it, or the other side has ended the connection. */
export function sendHttp(place: AttackedPlace, asked: HttpRequest): Promise<HttpAnswer | null> {
  const { method, path, body } = asked;
  const where = 'path' in place ? { socketPath: place.path } : place;
  const length = body === '' ? {} : { 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    try {
      const headers = { ...asked.headers, ...length };
      const sent = request({ ...where, method, path, headers, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('error', () => {});
        response.on('close', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
        if (response.headers['content-type']?.includes('ndjson')) response.destroy();
      });
      sent.on('upgrade', (_response, socket) => {
        socket.destroy();
        resolve(null);
      });
      sent.on('error', (error: NodeJS.ErrnoException) =>
        error.code === 'ECONNRESET' || error.code === 'EPIPE' || error.code?.startsWith('HPE_') === true
          ? resolve(null)
          : reject(error),
      );
      sent.end(body === '' ? undefined : body);
    } catch {
      resolve(null);
    }
  });
}
