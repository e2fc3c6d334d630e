import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { hostilePosts, sendAll } from '../support/hostile-traffic.ts';
import { createRandom } from '../support/random.ts';
import { pathOf, readList, type ServedAccount } from '../support/served-accounts.ts';
import { settle } from '../support/settle.ts';
import type { Server } from '../support/start-server.ts';
import { testServers } from '../support/test-servers.ts';

const STEPS = 120;
const STAGES = 6;

interface Explained {
  readonly points: number;
  readonly parts: readonly { readonly points: number }[];
  readonly rest: { readonly points: number } | null;
  readonly rounding: readonly number[];
}

const servers = testServers();

/** Every account as it is served now. */
async function serve(server: Server): Promise<ServedAccount[]> {
  const answers: ServedAccount[] = [];
  for (const { accountId } of await readList(server, 100)) answers.push(await server.get<ServedAccount>(pathOf(accountId)));
  // What is appended next is not of the same millisecond.
  await sleep(2);
  return answers;
}

/**
 * An account as it is asked for at an earlier instant is what was served at that instant, every figure to the last bit, and its explanation adds up to
 * it: under late, repeated and disordered touches, roles, models that take over, kill -9, and restarts.
 */
test('the past is what was served then, and every part of it adds up', { timeout: 240_000 }, async () => {
  const data = servers.directory();
  const random = createRandom(5);
  const posts = [
    ...hostilePosts({ seed: 51, name: '', steps: STEPS, models: true, random }),
    ...hostilePosts({ seed: 52, name: '-b', steps: STEPS, models: true, random }),
  ];
  let server = await servers.start({ data });
  const served: ServedAccount[] = [];
  for (let stage = 0; stage < STAGES; stage++) {
    const from = Math.floor((posts.length * stage) / STAGES);
    await sendAll(server, posts.slice(from, Math.floor((posts.length * (stage + 1)) / STAGES)));
    await settle(server);
    served.push(...(await serve(server)));
    if (stage % 2 === 0) continue;
    await (stage === 1 ? server.kill() : server.stop());
    server = await servers.start({ data });
  }
  expect(new Set(served.map(({ modelVersion }) => modelVersion)).size).toBeGreaterThan(2);
  expect(new Set(served.map(({ version }) => version)).size).toBeGreaterThan(STAGES);

  for (const answer of served) {
    const then = pathOf(answer.accountId);
    const past = await server.get<ServedAccount>(`${then}?at=${answer.asOf}`);
    expect(past).toEqual(answer);
    const { parts, points, rest, rounding } = await server.get<Explained>(`${then}/explain?at=${answer.asOf}&limit=20`);
    let sum = 0;
    for (const part of [...parts, ...(rest === null ? [] : [rest])]) sum += part.points;
    for (const more of rounding) sum += more;
    expect([points, sum]).toEqual([answer.points, answer.points]);
  }
});
