import { deliveryOf } from './answers.ts';
import { documentOf } from './document.ts';
import type { HttpClient } from './http.ts';
import type { Sink } from './sink.ts';

/** POSTs each batch as a JSON array of objects. */
export function webhookSink(name: string, host: string, client: HttpClient): Sink {
  return {
    name,
    async send(batch, signal) {
      const body = JSON.stringify(batch.map((record) => documentOf(record, host)));
      const answer = await client.post({ path: '', type: 'application/json', body }, signal);
      return deliveryOf(answer, batch.length, client);
    },
    async close() {
      await Promise.resolve(client.close());
    },
  };
}
