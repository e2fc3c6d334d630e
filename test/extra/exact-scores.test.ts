import { expect, test } from 'vitest';
import { runHistories } from '../support/run-histories.ts';
import { testServers } from '../support/test-servers.ts';

const servers = testServers();
const SEEDS = Array.from({ length: 16 }, (_, i) => 11 + i);

test.each(SEEDS)('scores are exact for hostile histories, after a restart and kill -9 (seed %i)', async (seed) => {
  expect(await runHistories(seed, servers.directory(), (options) => servers.start(options))).toEqual([]);
});
