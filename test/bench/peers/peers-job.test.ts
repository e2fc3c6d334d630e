import { OUTCOME, PartitionLedgers } from '@touchstone/engine';
import { RecordBlockBuilder } from '@touchstone/event-log';
import { expect, test } from 'vitest';
import { generatePeersTouches, type PeersTouch } from '../../support/peers/generate-touches.ts';
import { recomputePeersScores, wrongPeersScores, type PeersScore } from '../../support/peers/recompute-scores.ts';
import { messageOf } from '../../support/peers/touch-message.ts';
import { peersJob, peersModel } from './peers-job.ts';

const HORIZON_MS = 48 * 3_600_000;
const topics = { touches: 'touches', scores: 'scores', group: 'group' };

/** What the job says of each account, all of them in one partition. */
function scoresOf(touches: readonly PeersTouch[]): Map<string, PeersScore> {
  const job = peersJob(topics, { storesTouches: true, publishesFirstBacklog: false });
  const ledgers = new PartitionLedgers(0, peersModel, HORIZON_MS);
  const builder = new RecordBlockBuilder();
  for (const { key, value } of touches.map(messageOf)) builder.append(key, value);
  const count = touches.length;
  const run = job.openRun(0);
  run.open({ partition: 0, baseOffset: 0, nextOffset: count, count, appendedAt: 0, bytes: builder.bytes() });
  while (run.next()) expect(ledgers.take(run, false)).toBe(OUTCOME.counted);
  ledgers.settle();
  return new Map(
    Array.from({ length: ledgers.accounts.size }, (_, account) => {
      const { key, value, row } = job.publicationOf({ ledgers, account }, 0);
      expect(row).toBeNull();
      return [Buffer.from(key).toString(), JSON.parse(Buffer.from(value).toString()) as PeersScore];
    }),
  );
}

test.each([1, 2, 3])('the scores of the comparison are those by its definition (seed %i)', (seed) => {
  const touches = generatePeersTouches({ accounts: 300, seed, touches: 20_000 });
  expect(wrongPeersScores(recomputePeersScores(touches), scoresOf(touches))).toEqual([]);
});

test('a score that is not the one by definition is told, and so is one that is missing or of nobody', () => {
  const score: PeersScore = { accountId: 'a', points: 3, asOf: 5, touches7d: 1, touches30d: 2, minutes30d: 4, reach30d: 1, n: 2 };
  const told = (...found: PeersScore[]): string[] =>
    wrongPeersScores(new Map([['a', score]]), new Map(found.map((one) => [one.accountId, one])));
  expect(told({ ...score, points: 3 * (1 + 9e-10), minutes30d: 4 + 3e-9 })).toEqual([]);
  expect(told()).toEqual(['a has no score']);
  expect(told(score, { ...score, accountId: 'b' })).toEqual(['b has a score and no touch']);
  const others = { points: 3 * (1 + 2e-9), minutes30d: 4 + 5e-9, asOf: 6, touches7d: 2, touches30d: 1, reach30d: 2, n: 3 };
  for (const [name, value] of Object.entries(others)) {
    expect(told({ ...score, [name]: value })).toHaveLength(1);
  }
});
