import type { FastifyReply } from 'fastify';

/** Aborted when the one who asked has gone, or the surface closes. */
export function cancelled(reply: FastifyReply, closing: AbortSignal): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return AbortSignal.any([gone.signal, closing]);
}
