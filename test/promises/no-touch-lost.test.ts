import { expect, test } from 'vitest';
import { runKills } from '../support/run-kills.ts';
import { testServers } from '../support/test-servers.ts';

const servers = testServers();

/** The long form, with fifty kills, is in test/extra. */
test(
  'no touch is lost, and each counts once, over kill -9 under load, while restoring and while starting',
  { timeout: 180_000 },
  async () => {
    const report = await runKills({
      data: servers.directory(),
      start: (options) => servers.start(options),
      kills: 5,
      clients: 3,
      accounts: 20,
      batchMax: 100,
      pauseMsMax: 30,
      seed: 1,
    });
    expect(report.wrong).toEqual([]);
    // A run in which nothing happened would show nothing.
    expect(report.acked).toBeGreaterThan(1000);
    expect(report.repeatedOnLog).toBeGreaterThan(0);
    expect(report.sentAgain.unanswered).toBeGreaterThan(0);
    expect(report.answersWatched).toBeGreaterThan(20);
    expect(report.stream.connections).toBeGreaterThan(1);
    expect(report.stream.gaps).toBe(0);
  },
);
