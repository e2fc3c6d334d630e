import helmet from '@fastify/helmet';
import { fastify } from 'fastify';

/**
 * The headers that every answer carries. Helmet decides what they are, once: they are the same for all answers, and to have it work them out
 * for each costs as much as everything else that is done with the headers of a request.
 */
export async function securityHeaders(): Promise<Readonly<Record<string, string>>> {
  const app = fastify();
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
  });
  const bare = new Set<string>();
  app.get('/', (_request, reply) => {
    for (const name of Object.keys(reply.raw.getHeaders())) bare.add(name);
    return reply.send('');
  });
  const { headers } = await app.inject('/');
  await app.close();
  return Object.fromEntries([...bare].map((name) => [name, String(headers[name])]));
}
