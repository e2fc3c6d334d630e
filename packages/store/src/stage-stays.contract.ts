import type { Alert, Transition } from '@touchstone/engine';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClickHouseStore } from './click-house-store.ts';
import type { RowTransport } from './row-transport.ts';
import type { StageFigures, StageQuery } from './store.ts';
import { checkpointOf } from './test-records.ts';

const HOUR_MS = 3_600_000;
const AT = Date.UTC(2026, 4, 6, 7);
const STAGES = ['aware', 'engaged', 'sales'];

/** An account's steps from stage to stage, at hours and a bit; `null` is no stage. */
function stepsOf(accountId: string, moves: readonly (readonly [hours: number, stage: string | null])[]): Transition[] {
  let before: string | null = null;
  return moves.map(([hours, stage], index) => {
    const direction = STAGES.indexOf(stage ?? '') > STAGES.indexOf(before ?? '') ? 'up' : 'down';
    const alert: Alert = {
      id: `${accountId}/${index}`,
      type: 'account.stage.changed',
      accountId,
      partition: 0,
      version: index,
      modelVersion: 'm',
      ruleId: 'stages',
      episode: index + 1,
      direction,
      at: Math.round(AT + hours * HOUR_MS),
      metric: null,
      threshold: null,
      previousValue: null,
      currentValue: null,
      previousStage: before,
      currentStage: stage,
      cause: 'touch',
      late: false,
      heldBack: 0,
      owner: null,
      engagedContacts: 0,
      coverage: null,
      missingRoles: [],
      reasons: [],
      touch: null,
      met: [],
      missing: [],
    };
    before = stage;
    return { step: index + 1, offset: index, isHeld: false, alert };
  });
}

/** A handful of accounts that wander about, by a sequence that looks random and is not. */
function wanderers(): Transition[][] {
  let seed = 7;
  const next = (below: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
  return Array.from({ length: 40 }, (_, account) => {
    let hours = next(100);
    let stage: string | null = null;
    return stepsOf(
      `a${account}`,
      Array.from({ length: next(6) }, () => {
        hours += next(60) + 0.4;
        const others: (string | null)[] = [...STAGES, null].filter((one) => one !== stage);
        stage = others[next(others.length)]!;
        return [hours, stage] as const;
      }),
    );
  });
}

/** The same by definition: one stay after another. */
function figuresOf(accounts: readonly Transition[][], { since, stalledSince, until }: StageQuery): Omit<StageFigures, 'place'>[] {
  const figures = STAGES.map((stage) => ({
    group: '',
    stage,
    balance: 0,
    balanceAtStart: 0,
    entered: 0,
    left: 0,
    leftMs: 0,
    advanced: 0,
    stalled: 0,
    known: false,
  }));
  const stays = STAGES.map(() => new Map<number, { ended: number; open: number }>());
  for (const steps of accounts) {
    const known = steps.filter(({ alert }) => alert.at < until);
    for (const [index, { alert }] of known.entries()) {
      const at = STAGES.indexOf(alert.currentStage ?? '');
      if (at < 0) continue;
      const one = figures[at]!;
      const end = known[index + 1]?.alert ?? null;
      one.known = true;
      if (end === null) one.balance++;
      if (end === null && alert.at <= stalledSince) one.stalled++;
      if (end !== null && end.at >= since) {
        one.left++;
        one.leftMs += end.at - alert.at;
      }
      if (alert.at < since && (end === null || end.at >= since)) one.balanceAtStart++;
      if (alert.at < since) continue;
      one.entered++;
      if (end?.direction === 'up') one.advanced++;
      const hours = Math.floor(((end?.at ?? until) - alert.at) / HOUR_MS);
      const counts = stays[at]!.get(hours) ?? { ended: 0, open: 0 };
      counts[end === null ? 'open' : 'ended']++;
      stays[at]!.set(hours, counts);
    }
  }
  return figures.flatMap(({ known, ...one }, at) => {
    const sorted = [...stays[at]!].toSorted(([a], [b]) => a - b).map(([hours, counts]) => ({ hours, ...counts }));
    return known ? [{ ...one, stays: sorted }] : [];
  });
}

/** The part of the store's contract about stays of accounts in stages. */
export function describeStageStays(name: string, open: () => Promise<RowTransport>): void {
  describe(`stays in stages on ${name}`, () => {
    let transport: RowTransport;
    let store: ClickHouseStore;

    beforeEach(async () => {
      transport = await open();
      store = new ClickHouseStore(transport);
      await store.migrate();
    });

    afterEach(() => store.close());

    /** As by a checkpoint that was repeated, and whose rows were not merged. */
    async function save(transitions: readonly Transition[]): Promise<void> {
      await transport.command('SYSTEM STOP MERGES alert_transitions');
      for (let time = 0; time < 2; time++) await store.checkpoint([checkpointOf(store, [], { offset: 1000, transitions })]);
    }

    it('are counted as by definition, of any period', async () => {
      const accounts = wanderers();
      await save(accounts.flat());
      for (const [from, to, stalled] of [
        [0, 1000, 50],
        [100, 200, 150],
        [0, 120, 60],
        [150, 151, 0],
        [500, 600, 90],
      ] as const) {
        const query = { since: AT + from * HOUR_MS, until: AT + to * HOUR_MS, stalledSince: AT + stalled * HOUR_MS };
        const figures = await store.stageFigures(query);
        expect(
          figures.map(({ place, ...rest }) => rest),
          `${from} to ${to}`,
        ).toEqual(figuresOf(accounts, query));
      }
    });

    it('that are long come by name, the longest first', async () => {
      const accounts = [
        stepsOf('gone', [
          [1, 'aware'],
          [2, 'engaged'],
          [3, 'aware'],
          [50, null],
        ]),
        stepsOf('old', [[4, 'aware']]),
        stepsOf('older', [[2, 'aware']]),
        stepsOf('young', [[30, 'aware']]),
        stepsOf('other', [
          [1, 'aware'],
          [9, 'sales'],
        ]),
      ];
      await save(accounts.flat());
      const query = { since: AT, until: AT + 60 * HOUR_MS, stalledSince: AT + 10 * HOUR_MS };
      expect(await store.stalledAccounts(query, 10)).toEqual([
        { stage: 'aware', id: 'older', accountId: 'older', since: AT + 2 * HOUR_MS },
        { stage: 'aware', id: 'old', accountId: 'old', since: AT + 4 * HOUR_MS },
        { stage: 'sales', id: 'other', accountId: 'other', since: AT + 9 * HOUR_MS },
      ]);
      const before = { ...query, until: AT + 50 * HOUR_MS };
      expect((await store.stalledAccounts(before, 1)).map(({ accountId }) => accountId)).toEqual(['older', 'other']);
      expect((await store.stalledAccounts(before, 3)).map(({ accountId }) => accountId)).toEqual(['older', 'gone', 'old', 'other']);
    });
  });
}
