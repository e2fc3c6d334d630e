import { fastify } from 'fastify';
import { accountIdOf } from '../workload/traffic.ts';

/** A server that finds an object in a Map and answers it as JSON of so many bytes: how fast a read over HTTP can be here. */
export async function lookUpOnly({ accounts, bodyBytes }: { accounts: number; bodyBytes: number }): Promise<{ port: number }> {
  const answer = { accountId: '', counts: [] as number[] };
  while (JSON.stringify(answer).length < bodyBytes) answer.counts.push(1000 + answer.counts.length);
  const known = new Map(Array.from({ length: accounts }, (_, rank) => [accountIdOf(rank), answer]));
  const app = fastify();
  app.get<{ Params: { accountId: string } }>('/v1/accounts/:accountId', ({ params: { accountId } }) => ({
    ...known.get(accountId)!,
    accountId,
  }));
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  return { port: Number(new URL(address).port) };
}
