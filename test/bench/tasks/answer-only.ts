import { fastify } from 'fastify';

const BODY_BYTES_MAX = 16 * 1024 * 1024;

/** A server that reads a body and answers as ours does, and does nothing in between: how fast HTTP alone can be here. */
export async function answerOnly(): Promise<{ port: number }> {
  const app = fastify({ bodyLimit: BODY_BYTES_MAX });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.post('/v1/touches', (_request, reply) => reply.code(202).send({ accepted: 1, rejected: [] }));
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  return { port: Number(new URL(address).port) };
}
