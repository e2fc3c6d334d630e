import { familyOf, type Alert, type RuleState, type Transition } from '@touchstone/engine';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { ClickHouseStore } from './click-house-store.ts';
import { readCrossings } from './crossings.ts';
import { readRuleStates } from './rule-states.ts';
import type { RowTransport } from './row-transport.ts';
import type { AlertAction, AlertQuery } from './store.ts';
import { checkpointOf, entriesOf } from './test-records.ts';
import { readTransitions } from './transitions.ts';

const AT = Date.UTC(2026, 4, 6, 7);

interface Step {
  readonly step?: number;
  readonly isHeld?: boolean;
  readonly offset?: number;
  readonly alert?: Partial<Alert>;
}

function transitionOf({ alert = {}, isHeld = false, offset = 0, step = 1 }: Step): Transition {
  const { accountId = 'acme', at = AT + offset, direction = 'up', episode = 1, ruleId = 'hot' } = alert;
  return {
    step,
    offset,
    isHeld,
    alert: {
      id: `${accountId}/${ruleId}/${episode}/${direction}`,
      type: direction === 'up' ? 'account.threshold.crossed' : 'account.threshold.recovered',
      accountId,
      partition: 0,
      version: offset,
      modelVersion: 'm',
      ruleId,
      episode,
      direction,
      at,
      metric: 'score',
      threshold: 50,
      previousValue: 0.1 + 0.2,
      currentValue: 50.000000000000007,
      previousStage: null,
      currentStage: null,
      cause: 'touch',
      late: false,
      heldBack: 0,
      owner: null,
      engagedContacts: 2,
      coverage: 1 / 3,
      missingRoles: [`it's`],
      reasons: [{ contactId: 'ü"', role: null, points: 12.5 }],
      touch: { kind: 'meeting', contactId: null, campaignId: 'c', occurredAt: AT, ruleIds: ['meeting'] },
      met: [],
      missing: [],
      ...alert,
    },
  };
}

/** An account that crosses, is held back twice, and crosses again: its steps one after another, each at the next offset. */
const COOLED: readonly Transition[] = (
  [
    ['up', false, 1],
    ['down', false, 1],
    ['up', true, 2],
    ['down', true, 2],
    ['up', true, 2],
    ['down', true, 2],
    ['up', false, 2],
    ['down', false, 2],
    ['up', true, 3],
  ] as const
).map(([direction, isHeld, episode], index) =>
  transitionOf({ step: index + 1, offset: index * 10, isHeld, alert: { direction, episode } }),
);

/** What steps come to, by definition. */
function stateAfter(steps: readonly Transition[]): RuleState {
  const last = steps.at(-1)!;
  const told = steps.findLastIndex(({ isHeld }) => !isHeld);
  const ups = steps.filter(({ alert, isHeld }) => alert.direction === 'up' && !isHeld);
  return {
    accountId: last.alert.accountId,
    family: familyOf(last.alert.type),
    ruleId: last.alert.ruleId,
    step: last.step,
    episode: last.alert.episode,
    isIn: last.alert.direction === 'up',
    isHeld: last.isHeld,
    lastUpAt: ups.at(-1)?.alert.at ?? null,
    since: last.alert.at,
    heldBack: steps.slice(told + 1).filter(({ alert }) => alert.direction === 'up').length,
    stage: last.alert.currentStage,
  };
}

/** The part of the store's contract about alerts: where accounts stand under their rules, what was told, and what people did about it. */
export function describeAlerts(name: string, open: () => Promise<RowTransport>): void {
  describe(`alerts on ${name}`, () => {
    let transport: RowTransport;
    let store: ClickHouseStore;

    beforeEach(async () => {
      transport = await open();
      store = new ClickHouseStore(transport);
      await store.migrate();
    });

    afterEach(() => store.close());

    const save = async (transitions: readonly Transition[], partition = 0): Promise<void> =>
      store.checkpoint([checkpointOf(store, [], { partition, offset: 1000, transitions })]);

    /** As by checkpoints that were repeated, and whose rows were not merged. */
    async function saveTwice(transitions: readonly Transition[]): Promise<void> {
      await transport.command('SYSTEM STOP MERGES alert_transitions');
      await save(transitions);
      await save(transitions.slice(transitions.length / 2));
      await save(transitions);
    }

    async function all<Row>(pages: AsyncIterable<readonly Row[]>): Promise<Row[]> {
      const rows: Row[] = [];
      for await (const page of pages) rows.push(...page);
      return rows;
    }

    describe('rule states', () => {
      it.each(COOLED.map((_, index) => index + 1))('are what the steps below an offset come to: the first %i', async (steps) => {
        await saveTwice(COOLED);
        expect(await all(store.ruleStates(0, steps * 10))).toEqual([stateAfter(COOLED.slice(0, steps))]);
      });

      it('are of one partition, by account and rule, in any pages', async () => {
        const steps = ['b', 'a', 'ü'].flatMap((accountId) =>
          ['surge', 'hot'].map((ruleId) => transitionOf({ offset: 7, alert: { accountId, ruleId } })),
        );
        const staged = transitionOf({ offset: 8, alert: { accountId: 'a', ruleId: 'stages', currentStage: 'aware', direction: 'down' } });
        await saveTwice([...steps, staged]);
        await save([transitionOf({ alert: { partition: 1, accountId: 'elsewhere' } })], 1);
        const expected = [...steps, staged]
          .map((step) => stateAfter([step]))
          .sort((one, other) => (`${one.accountId} ${one.ruleId}` < `${other.accountId} ${other.ruleId}` ? -1 : 1));
        expect(await all(store.ruleStates(0, 100))).toEqual(expected);
        for (const rows of [1, 2, 3, 7]) expect(await all(readRuleStates(transport, 0, 100, rows)), `pages of ${rows}`).toEqual(expected);
        expect(await all(store.ruleStates(0, 7))).toEqual([]);
        expect(await all(store.ruleStates(5, 100))).toEqual([]);
      });

      it('are those of a threshold and those of a watch that took up its id', async () => {
        const watched = (step: number, alert: Partial<Alert> = {}): Transition =>
          transitionOf({ step, offset: step * 10, alert: { type: 'account.coverage.changed', ...alert } });
        const thresholds = [...COOLED.slice(0, 3), ...COOLED.slice(3, 5).map((step) => ({ ...step, step: step.step + 1, offset: 1000 }))];
        const watches = [watched(4), { ...watched(7, { direction: 'down' }), offset: 1000 }];
        await saveTwice([...thresholds, ...watches]);
        const expected = [stateAfter(watches), stateAfter(thresholds)];
        expect(await all(store.ruleStates(0, 2000))).toEqual(expected);
        expect(await all(readRuleStates(transport, 0, 2000, 1)), 'pages of 1').toEqual(expected);
        expect(await all(store.ruleStates(0, 1000))).toEqual([stateAfter(watches.slice(0, 1)), stateAfter(thresholds.slice(0, 3))]);
        expect((await all(store.crossings(0, 'hot'))).map(({ direction }) => direction)).toEqual(['up', 'down']);
      });
    });

    describe('transitions', () => {
      it('come back as they were stored, those of a range of offsets, by offset and time, in any pages', async () => {
        const early = transitionOf({ step: 4, offset: 30, alert: { at: AT + 5, accountId: 'z' } });
        await saveTwice([...COOLED, early]);
        await save([transitionOf({ offset: 30, alert: { partition: 1 } })], 1);
        const expected = [...COOLED.slice(2, 3), early, ...COOLED.slice(3, 7)];
        expect(await all(store.transitions(0, 20, 70))).toEqual(expected);
        for (const rows of [1, 2, 3, 6]) {
          const pages = readTransitions(transport, { partition: 0, from: 20, before: 70 }, rows);
          expect(await all(pages), `pages of ${rows}`).toEqual(expected);
        }
        expect(await all(store.transitions(0, 81, 200))).toEqual([]);
      });
    });

    describe('crossings', () => {
      it('are those of a rule and a partition that were told, each once, by account and in their order, in any pages', async () => {
        const others = ['ü', 'acme'].map((accountId) => transitionOf({ step: 1, offset: 3, alert: { accountId, ruleId: 'warm' } }));
        const last = transitionOf({ offset: 5, alert: { accountId: 'ü', version: 2 ** 40 } });
        await saveTwice([...COOLED, ...others, last]);
        await save([transitionOf({ alert: { partition: 1, accountId: 'elsewhere' } })], 1);
        const expected = [...COOLED.filter(({ isHeld }) => !isHeld), last].map(({ alert: { accountId, at, direction, version } }) => {
          return { accountId, direction, at, version };
        });
        expect(await all(store.crossings(0, 'hot'))).toEqual(expected);
        for (const rows of [1, 2, 3, 5]) expect(await all(readCrossings(transport, 0, 'hot', rows)), `pages of ${rows}`).toEqual(expected);
        expect(await all(store.crossings(0, 'cold'))).toEqual([]);
      });
    });

    describe('lists', () => {
      const done = (alertId: string, action: AlertAction['action'], at: number, rest: Partial<AlertAction> = {}): AlertAction => ({
        alertId,
        action,
        at,
        by: 'bo',
        until: null,
        note: '',
        ...rest,
      });
      const listed = async (query: Partial<AlertQuery> = {}): Promise<string[]> =>
        (await store.alerts({ now: AT, limit: 100, ...query })).map(({ alert }) => alert.id);

      it('hold what was told, newest first, each once, in any pages', async () => {
        const twin = transitionOf({ offset: 10, alert: { accountId: 'zeta' } });
        await saveTwice([...COOLED, twin]);
        const expected = ['acme/hot/2/down', 'acme/hot/2/up', 'zeta/hot/1/up', 'acme/hot/1/down', 'acme/hot/1/up'];
        expect(await listed()).toEqual(expected);
        for (const limit of [1, 2, 3]) {
          const pages: string[][] = [];
          let page = await store.alerts({ now: AT, limit });
          while (page.length > 0) {
            pages.push(page.map(({ alert }) => alert.id));
            page = await store.alerts({ now: AT, limit, before: page.at(-1)!.alert });
          }
          const full = Array.from({ length: Math.ceil(5 / limit) }, (_, index) => expected.slice(index * limit, (index + 1) * limit));
          expect(pages, `pages of ${limit}`).toEqual(full);
        }
      });

      it('give an alert whole, with the offset it belongs to', async () => {
        const step = transitionOf({ offset: 12, alert: { id: `it's \\ "x"`, owner: 'ö', missingRoles: ['a', 'b'] } });
        await save([step]);
        expect(await store.alerts({ now: AT, limit: 1 })).toEqual([
          { alert: step.alert, offset: 12, acked: null, snoozedUntil: null, useful: null },
        ]);
        await store.saveAlertAction(done(step.alert.id, 'ack', 5));
        expect((await store.alerts({ now: AT, limit: 1 }))[0]!.acked).toEqual({ by: 'bo', at: 5, note: '' });
      });

      test.each<[Partial<AlertQuery>, string[]]>([
        [{ accountId: 'b' }, ['b/hot/1/up']],
        [{ type: 'account.mqa.entered' }, ['c/qualification/1/up']],
        [{ ruleId: 'hot' }, ['b/hot/1/up', 'a/hot/1/up', 'a/hot/1/down']],
        [{ owner: `o'neil` }, ['c/qualification/1/up']],
        [{ owner: '' }, ['b/hot/1/up', 'a/hot/1/up', 'a/hot/1/down']],
        [{ since: AT + 2 }, ['c/qualification/1/up', 'b/hot/1/up']],
        [{ until: AT + 2 }, ['a/hot/1/up', 'a/hot/1/down']],
        [{ id: 'a/hot/1/up' }, ['a/hot/1/up']],
        [{ direction: 'down' }, ['a/hot/1/down']],
        [{ cause: 'decay' }, ['a/hot/1/down']],
        [{ id: 'none' }, []],
        [{ ruleId: 'hot', accountId: 'c' }, []],
      ])('are of what was asked for: %o', async (query, expected) => {
        await save([
          transitionOf({ offset: 0, alert: { accountId: 'a', direction: 'down', cause: 'decay' } }),
          transitionOf({ step: 2, offset: 1, alert: { accountId: 'a' } }),
          transitionOf({ offset: 2, alert: { accountId: 'b' } }),
          transitionOf({
            offset: 3,
            alert: { accountId: 'c', ruleId: 'qualification', type: 'account.mqa.entered', owner: `o'neil` },
          }),
        ]);
        expect(await listed(query)).toEqual(expected);
      });

      it('come by the page, hundreds of them too', async () => {
        const accountIds = Array.from({ length: 350 }, (_, number) => `${'account'.repeat(10)}-${number}`);
        await save(accountIds.map((accountId, offset) => transitionOf({ offset, alert: { accountId } })));
        const ids = accountIds.map((accountId) => `${accountId}/hot/1/up`);
        await store.saveAlertAction(done(ids[7]!, 'ack', 1000, { by: 'cy' }));
        const found = await store.alerts({ now: AT, limit: 400 });
        expect(new Set(found.map(({ alert }) => alert.id))).toEqual(new Set(ids));
        expect(found.flatMap(({ acked, alert }) => (acked === null ? [] : [alert.id]))).toEqual([ids[7]]);
      });

      it('say what was done about each: the first ack, the latest snooze and the latest word on its use', async () => {
        const ids = ['a', 'b', 'c', 'd'].map((accountId) => `${accountId}/hot/1/up`);
        await save(['a', 'b', 'c', 'd'].map((accountId, offset) => transitionOf({ offset, alert: { accountId } })));
        const [a, b, c, d] = ids;
        const actions = [
          done(a!, 'ack', 2000, { by: 'cy' }),
          done(a!, 'ack', 1000, { by: `o'neil`, note: 'called "them"' }),
          done(b!, 'snooze', 1000, { until: AT + 1000 }),
          done(c!, 'snooze', 1000, { until: AT + 1000 }),
          done(c!, 'snooze', 2000, { until: AT }),
          done(d!, 'useful', 1000),
          done(d!, 'not_useful', 3000),
          done(d!, 'useful', 2000),
          done(a!, 'useful', 1),
        ];
        for (const action of [...actions, ...actions]) await store.saveAlertAction(action);
        const found = await store.alerts({ now: AT, limit: 10 });
        const states = found.map(({ acked, alert, snoozedUntil, useful }) => [alert.id, acked, snoozedUntil, useful]);
        expect(states).toEqual([
          [d, null, null, false],
          [c, null, AT, null],
          [b, null, AT + 1000, null],
          [a, { by: `o'neil`, at: 1000, note: 'called "them"' }, null, true],
        ]);
        expect(await listed({ acked: true })).toEqual([a]);
        expect(await listed({ acked: false })).toEqual([d, c, b]);
        expect(await listed({ snoozed: true })).toEqual([b]);
        expect(await listed({ snoozed: false })).toEqual([d, c, a]);
        expect(await listed({ snoozed: false, now: AT - 1 })).toEqual([d, a]);
        const counts = { ruleId: 'hot', family: 'threshold' as const, told: 4, heldBack: 0, acked: 1, useful: 1, notUseful: 1 };
        expect(await store.alertCounts(0, AT * 2)).toEqual([counts]);
      });
    });

    it('are counted by rule, each step once, and what is held back apart', async () => {
      await saveTwice([...COOLED, transitionOf({ offset: 3, alert: { ruleId: 'surge' } })]);
      // The entry held back at first has the id of the alert that was told later.
      await store.saveAlertAction({ alertId: 'acme/hot/2/up', action: 'useful', by: 'bo', at: 1, until: null, note: '' });
      const none = { acked: 0, useful: 0, notUseful: 0 };
      expect(await store.alertCounts(AT, AT + 1000)).toEqual([
        { ...none, ruleId: 'hot', family: 'threshold', told: 4, heldBack: 3, useful: 1 },
        { ...none, ruleId: 'surge', family: 'threshold', told: 1, heldBack: 0 },
      ]);
      expect(await store.alertCounts(AT + 10, AT + 21)).toEqual([{ ...none, ruleId: 'hot', family: 'threshold', told: 1, heldBack: 1 }]);
      expect(await store.alertCounts(0, AT)).toEqual([]);
    });
  });

  describe(`ticks on ${name}`, () => {
    it('that bring growth come back in a replay, where they stood', async () => {
      const store = new ClickHouseStore(await open());
      await store.migrate();
      const tick = { writtenAt: AT, fleetGrowth: 1.25 };
      const plain = checkpointOf(store, [], { offset: 9 });
      await store.checkpoint([{ ...plain, facts: [{ partition: 0, offset: 4, appendedAt: AT + 1, fact: { type: 'tick', tick } }] }]);
      const ticks: unknown[] = [];
      for await (const run of store.replay(0, 9)) while (run.next()) ticks.push([run.offset, run.appendedAt, run.kind, run.tick, run.fact]);
      expect(ticks).toEqual([[4, AT + 1, 4, tick, null]]);
      expect(await entriesOf(store.replay(0, 4))).toEqual([]);
      expect(await store.models()).toEqual([]);
      await store.close();
    });
  });
}
