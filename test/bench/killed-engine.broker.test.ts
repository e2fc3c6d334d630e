import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guardDirectory, sharedBroker } from '@touchstone/testkit';
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import type { OutgoingMessage } from '../chaos/stage/kafka-client.ts';
import { generatePeersTouches } from '../support/peers/generate-touches.ts';
import { PeersStage } from '../support/peers/peers-stage.ts';
import { recomputePeersScores, wrongPeersScores, type PeersScore } from '../support/peers/recompute-scores.ts';
import type { PeersEngine } from '../support/peers/start-engine.ts';
import { messageOf } from '../support/peers/touch-message.ts';

const { brokers, missing } = sharedBroker();
const TOUCHES = 300_000;
const ACCOUNTS = 20_000;
const SEED = 20_260_101;
/** On the topic before the first start. The rest comes while processes live and die. */
const BACKLOG = 200_000;
const COMMIT_MS = 200;
/** What a start after a kill waits for. */
const SESSION_TIMEOUT_MS = 3000;
const WRONG_SHOWN = 5;
/** Where ClickHouse keeps the parts of a table, and what one is called that is there for good. */
const STORED_POSITIONS = 'clickhouse/data/default/positions';
const PART = /^[0-9a-z]+(_\d+){3,4}$/;

/** Kills in the midst of the comparison's job, told by what is stored or committed, and then every score against one by definition. */
describe.skipIf(missing !== null)('the engine of the comparison says the score of every account', () => {
  let messages: readonly OutgoingMessage[];
  let expected: ReadonlyMap<string, PeersScore>;
  let directory: string;
  let forgetDirectory: () => void;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'touchstone-peers-'));
    forgetDirectory = guardDirectory(directory);
    const touches = generatePeersTouches({ accounts: ACCOUNTS, seed: SEED, touches: TOUCHES });
    messages = touches.map(messageOf);
    expected = recomputePeersScores(touches);
  });
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
    forgetDirectory();
  });

  // Together, as most of the time they wait for a group that has to give a dead member up.
  test.concurrent('after three kills, with every touch stored', async ({ onTestFinished }) => {
    const stage = await open(onTestFinished, { STORE: 'chdb' });
    await stage.append(BACKLOG);
    let engine = stage.start();
    const { stateDirectory } = engine;
    await stage.until('a part of the backlog is stored', () => hasPart(join(stateDirectory, STORED_POSITIONS)));
    await stage.kill(engine);
    const recovered: number[] = [];
    for (let kills = 0; kills < 2; kills++) {
      engine = stage.start(stateDirectory);
      await stage.settle();
      recovered.push(engine.recovered);
      await stage.killInTheMidst(engine);
    }
    engine = stage.start(stateDirectory);
    await assertExact(stage, [engine]);
    // Each went on from what the one before had stored, not from nothing.
    expect([...recovered, engine.recovered].filter((records) => records === 0)).toEqual([]);
    assertKilledInTheMidst(stage, 3);
    expect(stage.scores.stepsBack).toBe(0);
  });

  test.concurrent('after three kills, with the log as the only store', async ({ onTestFinished }) => {
    const stage = await open(onTestFinished, { STORE: 'log', BACKLOG: 'published' });
    await stage.append(BACKLOG);
    let engine = stage.start();
    await stage.until('a part of the backlog is committed', async () => (await stage.committed()) > 0);
    await stage.kill(engine);
    for (let kills = 0; kills < 2; kills++) {
      engine = stage.start();
      await stage.settle();
      await stage.killInTheMidst(engine);
    }
    await assertExact(stage, [stage.start()]);
    assertKilledInTheMidst(stage, 3);
  });

  test.concurrent('when two share the partitions, and each is killed in its turn and replaced', async ({ onTestFinished }) => {
    const stage = await open(onTestFinished, { STORE: 'log' });
    await stage.append(BACKLOG);
    const [first, second] = [stage.start(), stage.start()];
    await stage.until('both have partitions', () => first.hasBegun && second.hasBegun);
    await stage.kill(first);
    const third = stage.start();
    await stage.until('the third has partitions', () => third.hasBegun);
    await stage.settle();
    await stage.killInTheMidst(second);
    const fourth = stage.start();
    await stage.flowUntil('the fourth has partitions', () => fourth.hasBegun);
    // Stopped in order, while touches flow: the other goes on alone.
    await stage.flowUntilCommitted();
    expect(await stage.stop(third)).toBe(0);
    await assertExact(stage, [fourth]);
    assertKilledInTheMidst(stage, 2);
    expect(stage.scores.stepsBack).toBe(0);
  });

  async function open(onTestFinished: TestContext['onTestFinished'], env: Record<string, string>): Promise<PeersStage> {
    const settings = { COMMIT_MS: String(COMMIT_MS), KAFKA_SESSION_TIMEOUT_MS: String(SESSION_TIMEOUT_MS), ...env };
    const stage = await PeersStage.open({ brokers, directory: mkdtempSync(join(directory, 'stage-')), messages, env: settings });
    onTestFinished(() => stage.close());
    return stage;
  }

  /** Lets the engines work off all there is, and stops them. */
  async function assertExact(stage: PeersStage, engines: readonly PeersEngine[]): Promise<void> {
    await stage.append();
    await stage.settle();
    expect(await Promise.all(engines.map((engine) => stage.stop(engine)))).toEqual(engines.map(() => 0));
    await stage.scores.caughtUp();
    expect(wrongPeersScores(expected, stage.scores.newest).slice(0, WRONG_SHOWN)).toEqual([]);
  }
});

/**
 * All but one at least: this process may have been held up until everything was done. A commit is the end of the work; on a slow machine all may be
 * published right before it.
 */
function assertKilledInTheMidst({ deaths }: PeersStage, kills: number): void {
  const inTheMidst = deaths.filter(({ appended, committed }) => committed < appended);
  expect(deaths).toHaveLength(kills);
  expect(inTheMidst.length, JSON.stringify(deaths)).toBeGreaterThanOrEqual(kills - 1);
}

function hasPart(table: string): boolean {
  return existsSync(table) && readdirSync(table).some((name) => PART.test(name));
}
