import { describe, expect, test } from 'vitest';
import { hostilePosts, sendAll, type Post } from '../support/hostile-traffic.ts';
import { createRandom } from '../support/random.ts';
import { readEvents } from '../support/read-events.ts';
import { takeSnapshot, wrongIn } from '../support/served-accounts.ts';
import { settle } from '../support/settle.ts';
import { testServers } from '../support/test-servers.ts';

/**
 * Every count that is served is exact, and every sum good to 1e-9, whatever came in and whatever happened to the process: held against a
 * recomputation from the log that shares no code with the engine.
 */
describe('exact scores', () => {
  const servers = testServers();

  test.each([1, 2])(
    'of hostile histories, after a restart, a kill -9 and everything sent again (seed %i)',
    { timeout: 120_000 },
    async (seed) => {
      const random = createRandom(seed);
      const data = servers.directory();
      const history = (name: string, models: boolean, nth: number): Post[] =>
        hostilePosts({ seed: seed * 100 + nth, name, steps: 250, models, random });
      // The first keeps the generator's own names, the hostile ones among them.
      const underDefault = [...history('', false, 0), ...history('-b', false, 1)];
      const underModels = [...history('-c', true, 2), ...history('-d', true, 3)];

      let server = await servers.start({ data });
      await sendAll(server, underDefault);
      await settle(server);
      const first = await takeSnapshot(server);
      expect(await server.stop()).toBe(0);
      const log = await readEvents(data);
      expect(wrongIn(first, log)).toEqual([]);

      server = await servers.start({ data });
      expect(wrongIn(await takeSnapshot(server), log)).toEqual([]);
      const posts = random.shuffle([...underDefault, ...underModels]);
      await sendAll(server, posts.slice(0, Math.ceil(posts.length / 2)));
      await server.kill();

      server = await servers.start({ data });
      await sendAll(server, posts);
      await settle(server);
      const last = await takeSnapshot(server);
      await server.kill();
      expect(wrongIn(last, await readEvents(data))).toEqual([]);
    },
  );
});
