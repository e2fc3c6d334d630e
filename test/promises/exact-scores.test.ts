import { expect, test } from 'vitest';
import { runHistories } from '../support/run-histories.ts';
import { testServers } from '../support/test-servers.ts';

const servers = testServers();

/**
 * Every count that is served is exact, and every sum good to 1e-9, whatever came in and whatever happened to the process: held against a
 * recomputation from the log that shares no code with the engine. More seeds are in test/extra.
 */
test.each([1, 2])('scores are exact for hostile histories, after a restart and kill -9 (seed %i)', { timeout: 120_000 }, async (seed) => {
  expect(await runHistories(seed, servers.directory(), (options) => servers.start(options))).toEqual([]);
});
