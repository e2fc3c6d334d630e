import { expect, test } from 'vitest';
import { runKills } from '../support/run-kills.ts';
import { testServers } from '../support/test-servers.ts';

const servers = testServers();
const KILLS = 50;

test('no touch is lost, and each counts once, over fifty times kill -9', async () => {
  const report = await runKills({
    data: servers.directory(),
    start: (options) => servers.start(options),
    kills: KILLS,
    clients: 4,
    accounts: 50,
    batchMax: 100,
    pauseMsMax: 40,
    seed: 2,
  });
  const { acked, answersWatched, repeatedOnLog, sentAgain, stream } = report;
  const recoveries = report.recoveriesMs.toSorted((one, other) => one - other);
  const recovery = (share: number): string => `${Math.round(recoveries[Math.floor((recoveries.length - 1) * share)]!)} ms`;
  console.log(
    [
      `kills ${report.kills}; touches answered 202 ${acked}, each of which counts once: ${report.wrong.length === 0}`,
      `touches sent again: ${sentAgain.unanswered} unanswered, ${sentAgain.answered} though answered; on the log twice: ${repeatedOnLog}`,
      `from start to ready, ${recoveries.length} times: p50 ${recovery(0.5)}, p95 ${recovery(0.95)}, max ${recovery(1)}`,
      `answers about accounts ${answersWatched}; stream: ${stream.events} events over ${stream.connections} connections, ` +
        `${stream.older} told again as older, ${stream.gaps} gaps`,
    ].join('\n'),
  );
  expect(report.wrong).toEqual([]);
  expect(acked).toBeGreaterThan(10_000);
  expect(repeatedOnLog).toBeGreaterThan(0);
  expect(stream.gaps).toBe(0);
});
