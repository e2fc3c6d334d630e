import { hostilePosts, sendAll, type Post } from './hostile-traffic.ts';
import { createRandom } from './random.ts';
import { readEvents } from './read-events.ts';
import { takeSnapshot, wrongIn } from './served-accounts.ts';
import { settle } from './settle.ts';
import type { Server, ServerOptions } from './start-server.ts';

const STEPS = 250;

/**
 * Sends hostile histories to a server, restarts it, kills it in their midst and sends them all again; what is served wrongly on the way, one
 * line each. First everything is scored under the default model, later under models published in between.
 */
export async function runHistories(seed: number, data: string, start: (options: ServerOptions) => Promise<Server>): Promise<string[]> {
  const random = createRandom(seed);
  const history = (name: string, models: boolean, nth: number): Post[] =>
    hostilePosts({ seed: seed * 100 + nth, name, steps: STEPS, models, random });
  // The first keeps the generator's own names, the hostile ones among them.
  const underDefault = [...history('', false, 0), ...history('-b', false, 1)];
  const underModels = [...history('-c', true, 2), ...history('-d', true, 3)];
  const wrong: string[] = [];

  let server = await start({ data });
  await sendAll(server, underDefault);
  await settle(server);
  const first = await takeSnapshot(server);
  const code = await server.stop();
  if (code !== 0) wrong.push(`the server ended with ${code} when it was asked to stop`);
  const log = await readEvents(data);
  wrong.push(...wrongIn(first, log).map((line) => `at first: ${line}`));

  server = await start({ data });
  wrong.push(...wrongIn(await takeSnapshot(server), log).map((line) => `after a restart: ${line}`));
  const posts = random.shuffle([...underDefault, ...underModels]);
  await sendAll(server, posts.slice(0, Math.ceil(posts.length / 2)));
  await server.kill();

  server = await start({ data });
  await sendAll(server, posts);
  await settle(server);
  const last = await takeSnapshot(server);
  await server.kill();
  wrong.push(...wrongIn(last, await readEvents(data)).map((line) => `after kill -9 and everything once more: ${line}`));
  return wrong;
}
