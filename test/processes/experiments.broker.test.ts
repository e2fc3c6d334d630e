import { setTimeout as sleep } from 'node:timers/promises';
import { EVENTS_TOPIC } from '@touchstone/event-log';
import { creativesOf, findKafka, type LogEntry } from '@touchstone/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { logEntries } from '../chaos/stage/log-entries.ts';
import type { ServiceProcess } from '../chaos/stage/service-process.ts';
import { Stage } from '../chaos/stage/stage.ts';
import { contrastAgain } from '../support/recompute-contrast.ts';
import { recomputeExperiment, type ExperimentAgain } from '../support/recompute-experiment.ts';
import { createRandom } from '../support/random.ts';
import { bucketAgain, isHeldOutAgain, ownersAtStart, ownersWithout, type Owners } from '../support/recompute-assignment.ts';
import { settle, until } from '../support/settle.ts';
import { AdPlatform } from './ad-platform.ts';
import { ExperimentClient, type ExperimentHistory, type ExperimentResults } from './experiment-client.ts';

const found = await findKafka({ own: true });
const WITHIN_MS = 60_000;
/** A step at one process shows in the other's decisions within so long: a tenth of that is usual, and a machine may be busy. */
const FOLLOWS_WITHIN_MS = 5000;
const ACCOUNTS = Array.from({ length: 5000 }, (_, n) => `account-${n}`);
const [FEW, FEW_EVERY_MS] = [40, 200];
const METRICS = ['clicked', 'clickRate', 'engaged', 'pointsGained'] as const;
const SEED = 'processes';
const ARMS = [{ creativeId: 'a', weight: 2 }, { creativeId: 'b', weight: 1 }, { creativeId: 'c', weight: 1 }]; // prettier-ignore
const [HOLDOUT, COVERAGE, WINDOW_S, GRACE_S, ALPHA] = [0.1, 0.9, 8, 2, 0.05];
const DAY_MS = 86_400_000;

/** Experiments on two ingest, two aggregator and two query processes, a real broker and ClickHouse over HTTP. */
describe.skipIf(found.kind === 'none')('experiments across processes', () => {
  let stage: Stage;
  let ingests: ServiceProcess[];
  let aggregators: ServiceProcess[];
  let queries: ServiceProcess[];
  let platform: AdPlatform;
  const clientOf = (at: number): ExperimentClient => new ExperimentClient(queries[at]!.url);

  beforeAll(async () => {
    stage = await Stage.open();
    aggregators = await stage.startAggregators(2);
    ingests = await Promise.all([stage.start('ingest'), stage.start('ingest')]);
    queries = await Promise.all([stage.start('query'), stage.start('query')]);
    await Promise.all([...ingests, ...queries].map((process) => process.becomesReady()));
    platform = new AdPlatform({ ingests: ingests.map(({ url }) => url), random: createRandom(7), creatives: ['a', 'b', 'c'] });
    await platform.send(ACCOUNTS.map((accountId) => ({ id: `known-${accountId}`, accountId, kind: 'web_visit', occurredAt: Date.now() })));
    await stage.settle();
  }, 180_000);
  afterAll(() => stage?.close());

  /** All that was sent is stored, and served by both query processes. */
  async function settled(): Promise<void> {
    await stage.settle();
    const post = (_: string, touches: readonly unknown[]): Promise<void> => platform.send(touches as Parameters<AdPlatform['send']>[0]);
    const clients = [clientOf(0), clientOf(1)];
    await Promise.all(
      clients.map((client) => settle({ post, fetch: (path) => client.fetch(path), get: (path) => client.get(path) }, stage.partitions)),
    );
  }

  /** What both processes decide, which must be the same. */
  async function decisions(): Promise<Map<string, string>> {
    await settled();
    const [one, other] = await Promise.all([clientOf(0).decideAll(METRICS[0], ACCOUNTS), clientOf(1).decideAll(METRICS[0], ACCOUNTS)]);
    expect([...other]).toEqual([...one]);
    return one;
  }

  test('assignment is the same at both, and by an independent recomputation', { timeout: 240_000 }, async () => {
    for (const id of METRICS) {
      const common = { campaignId: 'spring', seed: SEED, arms: ARMS, holdout: HOLDOUT, coverage: COVERAGE, alpha: ALPHA };
      await clientOf(0).create({ id, metric: id, outcomeWindow: WINDOW_S, grace: GRACE_S, ...common });
    }
    await followed(1, (client) => client.status(METRICS.at(-1)!), 'running');
    const owners = ownersAtStart({ arms: ARMS, coverage: COVERAGE });
    for (const [accountId, variant] of await decisions()) expect([accountId, variant]).toEqual([accountId, assigned(owners, accountId)]);
  });

  test(
    'decisions and figures are those of the log after duplicates, late touches, kill -9, moved partitions, a swap and its undo',
    { timeout: 400_000 },
    async () => {
      // The first accounts are settled when the swap ends their era, later ones are not.
      await platform.show(await decisionsOf(ACCOUNTS.slice(0, 1500)));
      const late = platform.lateTouches();
      const before = await decisionsAtOne(0);
      await queries[1]!.kill();
      await aggregators[1]!.kill();
      aggregators[1] = await stage.start('aggregator');
      queries[1] = await stage.start('query', { port: queries[1]!.port });
      // What comes while one reads what was before it must not get lost between the two.
      await Promise.all([trickle(0, ACCOUNTS.slice(1500, 2500)), aggregators[1].becomesReady(), queries[1].becomesReady()]);
      const after = await decisions();
      for (const [accountId, variant] of before) {
        if (!platform.isShownOther(accountId)) expect([accountId, after.get(accountId)]).toEqual([accountId, variant]);
      }
      // Partitions move twice: one aggregator joins, another leaves.
      const leaving = aggregators.shift()!;
      aggregators.push(await stage.start('aggregator'));
      await platform.show(await decisionsOf(ACCOUNTS.slice(2500, 3000)));
      expect(await leaving.stop()).toMatchObject({ code: 0 });
      await sleep(1000 * (WINDOW_S + GRACE_S));
      await platform.send(late);

      // One that is shown nothing until the swap is undone.
      const ofC = ACCOUNTS.slice(4000).find((accountId) => after.get(accountId) === 'c')!;
      const swapMs = await followedDecision(ofC, (variant) => variant !== 'c', () => swapAll(0, 'swap', { creativeId: 'c' })); // prettier-ignore
      await platform.show(await decisionsOf(ACCOUNTS.slice(3000, 4000)));
      expect(new Set((await decisions()).values())).not.toContain('c');
      const undoMs = await followedDecision(ofC, (variant) => variant === 'c', () => swapAll(1, 'undo', {}), 0); // prettier-ignore
      await queries[0]!.kill();
      queries[0] = await stage.start('query', { port: queries[0]!.port });
      await Promise.all([trickle(1, ACCOUNTS.slice(4000)), queries[0].becomesReady()]);
      console.log(`a swap is followed after ${swapMs.toFixed(0)} ms, its undo after ${undoMs.toFixed(0)} ms`);
      expect(Math.max(swapMs, undoMs)).toBeLessThan(FOLLOWS_WITHIN_MS);

      await sleep(1000 * (WINDOW_S + GRACE_S));
      await platform.send([...platform.lateTouches(), ...platform.duplicates(500)]);
      await expectFigures();
      expect(stage.wrong).toEqual([]);
    },
  );

  test('of processes in mode auto that judge the same evidence one swaps, once', { timeout: 180_000 }, async () => {
    const ids = Array.from({ length: 6 }, (_, n) => `auto-${n}`);
    const arms = ['good', 'bad', 'fine'].map((creativeId) => ({ creativeId }));
    const common = { campaignId: 'auto', seed: 'auto', mode: 'auto', outcomeWindow: 2, grace: 0, leastSample: 100, arms };
    for (const id of ids) await clientOf(0).create({ id, ...common });
    await followed(1, (client) => client.status(ids.at(-1)!), 'running');
    const shown = await clientOf(0).decideAll(ids[0]!, ACCOUNTS.slice(0, 1500));
    const touches = [...shown].flatMap(([accountId, creativeId], n) => {
      const about = { accountId, campaignId: 'auto', creativeId, occurredAt: Date.now() };
      const isClick = n % 10 < (creativeId === 'bad' ? 1 : 6);
      return [
        { id: `auto-seen-${n}`, kind: 'ad_impression', ...about },
        ...(isClick ? [{ id: `auto-click-${n}`, kind: 'ad_click', ...about }] : []),
      ];
    });
    // Both stand still while the evidence comes, and go on at once: then neither is ahead.
    for (const { pid } of queries) process.kill(pid, 'SIGSTOP');
    await platform.send(touches);
    await sleep(3000);
    for (const { pid } of queries) process.kill(pid, 'SIGCONT');
    for (const id of ids) {
      for (const at of [0, 1]) {
        await until(Date.now() + WITHIN_MS, `${id} is swapped`, async () => (await clientOf(at).swaps(id)).length > 0);
      }
    }
    // Whoever would swap again has done so by then: evidence is looked at every two seconds.
    await sleep(6000);
    const refused = await Promise.all([0, 1].map((at) => clientOf(at).metric('touchstone_experiment_steps_total', 'outcome="refused"')));
    console.log(`steps of a revision that was past: ${refused.join(', ')} as the processes saw them`);
    for (const id of ids) {
      const [one, other] = await Promise.all([clientOf(0).swaps(id), clientOf(1).swaps(id)]);
      expect(one).toEqual(other);
      expect(one).toMatchObject([{ creativeId: 'bad', by: 'auto', revision: 3, evidence: { judgement: { verdict: 'swap' } } }]);
    }
    expect(stage.wrong).toEqual([]);
  });

  function assigned(owners: Owners, accountId: string): string {
    const owner = owners[bucketAgain(SEED, accountId)]!;
    // The control is what accounts outside get.
    if (owner === null) return 'a';
    return isHeldOutAgain(SEED, HOLDOUT, accountId) ? 'holdout' : owner;
  }

  const decisionsAtOne = (at: number): Promise<Map<string, string>> => clientOf(at).decideAll(METRICS[0], ACCOUNTS);
  const decisionsOf = (accountIds: readonly string[]): Promise<Map<string, string>> => clientOf(0).decideAll(METRICS[0], accountIds);

  /** Shows accounts what a process decides, a few at a time. */
  async function trickle(at: number, accountIds: readonly string[]): Promise<void> {
    for (let from = 0; from < accountIds.length; from += FEW) {
      await platform.show(await clientOf(at).decideAll(METRICS[0], accountIds.slice(from, from + FEW)));
      await sleep(FEW_EVERY_MS);
    }
  }

  async function swapAll(at: number, action: 'swap' | 'undo', body: object): Promise<void> {
    for (const id of METRICS) await clientOf(at).step(id, action, body);
  }

  async function followed<T>(at: number, look: (client: ExperimentClient) => Promise<T>, wanted: T): Promise<void> {
    await until(Date.now() + WITHIN_MS, `process ${at} follows`, async () => (await look(clientOf(at))) === wanted);
  }

  /** Milliseconds from the answer to the first step of the experiment that decides, until a process decides by it. */
  async function followedDecision(
    accountId: string,
    isNew: (variant: string) => boolean,
    act: () => Promise<void>,
    at = 1,
  ): Promise<number> {
    const startedAt = performance.now();
    const acting = act();
    await until(Date.now() + WITHIN_MS, 'the other process decides by it', async () => {
      const decided = await clientOf(at).decideAll(METRICS[0], [accountId]);
      return isNew(decided.get(accountId)!);
    });
    const took = performance.now() - startedAt;
    await acting;
    return took;
  }

  async function experimentAgain(metric: (typeof METRICS)[number]): Promise<ExperimentAgain> {
    const history = await clientOf(0).history(metric);
    const at = (action: ExperimentHistory['action']): number => Date.parse(history.find((step) => step.action === action)!.at);
    const shares = { arms: ARMS, coverage: COVERAGE };
    const start = ownersAtStart(shares);
    return {
      seed: SEED,
      campaignId: 'spring',
      creatives: ['a', 'b', 'c'],
      holdout: HOLDOUT,
      metric,
      outcomeWindowMs: 1000 * WINDOW_S,
      graceMs: 1000 * GRACE_S,
      startedAt: at('start'),
      lineups: [
        { since: at('start'), owners: start },
        { since: at('swap'), owners: ownersWithout(start, 'c', shares) },
        { since: at('undo'), owners: start },
      ],
      worthOf: platform.worthOf,
    };
  }

  async function expectFigures(): Promise<void> {
    const log = logEntries(await stage.kafka.read(EVENTS_TOPIC));
    const { lineups, ...rest } = await experimentAgain(METRICS[0]);
    const { shownLast } = recomputeExperiment({ lineups, ...rest }, log, Date.now());
    for (const [accountId, variant] of await decisions()) {
      expect([accountId, variant]).toEqual([accountId, shownLast.get(accountId) ?? assigned(lineups.at(-1)!.owners, accountId)]);
    }
    for (const metric of METRICS) {
      const experiment = await experimentAgain(metric);
      for (const at of [0, 1]) {
        await until(Date.now() + WITHIN_MS, `process ${at} has all figures`, async () => (await clientOf(at).results(metric)).isComplete);
        expectResults(await clientOf(at).results(metric), experiment, log, `${metric} at process ${at}`);
      }
    }
    for (const at of [0, 1]) await expectCreatives(at, log);
  }

  function expectResults(answer: ExperimentResults, experiment: ExperimentAgain, log: readonly LogEntry[], where: string): void {
    const again = recomputeExperiment(experiment, log, Date.parse(answer.asOf));
    const { arms, leftOutShare, heldOutExposed, late, shares, uncoveredExposed } = again;
    for (const [at, { value, ...counts }] of arms.entries()) {
      expect(answer.arms[at], where).toMatchObject(counts);
      expect(answer.arms[at]!.value, where).toBeCloseTo(value!, 9);
      for (const count of ['exposed', 'contaminated', 'strayed', 'accounts', 'clicks'] as const) expect(counts[count]).toBeGreaterThan(0);
    }
    expect(answer.contamination, where).toMatchObject({ leftOutShare, heldOutExposed, uncoveredExposed, late });
    for (const count of [late, heldOutExposed, uncoveredExposed]) expect(count).toBeGreaterThan(0);
    const byExposed = answer.sampleRatio.arms.every(({ accounts }, at) => accounts === shares.exposed[at]!.accounts);
    for (const [at, share] of shares[byExposed ? 'exposed' : 'settled'].entries()) {
      expect(answer.sampleRatio.arms[at], where).toMatchObject({ creativeId: share.creativeId, accounts: share.accounts });
      expect(answer.sampleRatio.arms[at]!.expected, where).toBeCloseTo(share.expected, 6);
    }
    // Accounts outside were all shown the control: they are no reason to hold.
    expect(answer.sampleRatio.isAlarm, where).toBe(false);
    const isSure = answer.comparisons.some(({ pCorrected }) => pCorrected <= ALPHA);
    expect([answer.verdict, answer.reason], where).toEqual(isSure ? ['swap', 'under_performer'] : ['wait', 'not_sure_yet']);
    expect(answer.comparisons.map(({ against, creativeId }) => [creativeId, against])).toEqual([['b', 'a'], ['c', 'a']]); // prettier-ignore
    for (const { accounts, against, creativeId, difference, pValue } of answer.comparisons) {
      const made = contrastAgain(experiment, again, { creativeId, against, level: ALPHA / 2, tunedFor: 5000 })!;
      expect(accounts, where).toBe(made.accounts);
      for (const part of ['value', 'low', 'high'] as const) expect(difference[part], where).toBeCloseTo(made[part], 9);
      expect(pValue, where).toBeCloseTo(made.pValue, 9);
    }
  }

  async function expectCreatives(at: number, log: readonly LogEntry[]): Promise<void> {
    const answer = await clientOf(at).creatives('spring');
    const day = (text: string): number => Date.parse(text) / DAY_MS;
    const question = { from: day(answer.from), to: day(answer.to), asOf: Date.parse(answer.asOf) };
    const expected = creativesOf(log, question).filter(({ campaignId }) => campaignId === 'spring');
    expect(new Set(answer.data.map(({ creativeId }) => creativeId))).toEqual(new Set(expected.map(({ creativeId }) => creativeId)));
    for (const row of answer.data) {
      const figures = expected.find(({ creativeId }) => creativeId === row.creativeId)!;
      const { accountsClicked, accountsReached, clickers, clicks, contacts, impressions, minutes, points, touches } = figures;
      expect(row).toMatchObject({ accountsClicked, accountsReached, clicks, impressions, minutes, touches });
      expect([row.contactsReached, row.contactsClicked]).toEqual([contacts, clickers]);
      expect(Math.abs(row.points / points - 1)).toBeLessThan(1e-9);
    }
  }
});
