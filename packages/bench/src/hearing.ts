import { createRequire } from 'node:module';
import { places } from './places.ts';

// As much as is needed here of the WebSocket that comes with the API: Node's own does not know unix sockets.
interface Socket {
  on(event: 'open', listener: () => void): this;
  on(event: 'message', listener: (data: Buffer) => void): this;
  on(event: 'close' | 'error', listener: (error?: unknown) => void): this;
  send(text: string): void;
  terminate(): void;
}
interface Ws {
  readonly WebSocket: new (address: string) => Socket;
}

interface Message {
  readonly kind: string;
  readonly seq?: number;
  readonly event?: { readonly seq: number };
}

/**
 * Has so many subscribers told of all events that are kept, each by a WebSocket of its own; how many each was told a second, from the
 * subscription to the last one's last event. Rejects where one was told less.
 */
export async function tellPast(socketPath: string, subscribers: number, least: number): Promise<number> {
  const { WebSocket } = createRequire(places.api)('ws') as Ws;
  const sockets = Array.from(
    { length: subscribers },
    () => new WebSocket(`ws+unix://${socketPath}:/v1/stream`),
  );
  try {
    await Promise.all(
      sockets.map(
        (socket) => new Promise<void>((resolve, reject) => socket.on('open', resolve).on('error', reject)),
      ),
    );
    const from = performance.now();
    const counts = await Promise.all(sockets.map(hearAll));
    const seconds = (performance.now() - from) / 1000;
    const fewest = Math.min(...counts);
    if (fewest < least)
      throw new Error(`one of ${subscribers} subscribers was told ${fewest} events, not ${least}`);
    return fewest / seconds;
  } finally {
    for (const socket of sockets) socket.terminate();
  }
}

/** Subscribes, and waits for the newest event of that moment. */
function hearAll(socket: Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    let [count, last] = [0, Number.POSITIVE_INFINITY];
    socket.on('message', (data) => {
      const message = JSON.parse(data.toString()) as Message;
      if (message.kind === 'begun') last = message.seq ?? last;
      // Of what was long ago a master keeps no events, and says so; of others none may be lacking.
      else if (message.kind === 'lost' && count === 0) return;
      else if (message.event === undefined) reject(new Error(`told ${data.toString().slice(0, 500)}`));
      else {
        count += 1;
        if (message.event.seq >= last) resolve(count);
      }
    });
    socket.on('close', () => reject(new Error('the connection ended')));
    socket.send(JSON.stringify({ op: 'events', name: 'all', since: 0 }));
  });
}
