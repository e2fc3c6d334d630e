import { scoringModelSchema } from '@touchstone/engine';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { referenceOf } from './account-view.ts';
import { historyArbitrary, hostileHistory, type GeneratedEntry, type GeneratedTouch, type History } from './generate.ts';
import { worthOfTouches } from './points.ts';
import { readLog } from './read-log.ts';
import { referenceModel } from './reference-model.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const touchIn = ({ record }: GeneratedEntry): GeneratedTouch | null => ('type' in record ? null : record);
const touchesIn = ({ entries }: History): (GeneratedEntry & { touch: GeneratedTouch })[] =>
  entries.flatMap((entry) => {
    const touch = touchIn(entry);
    return touch === null ? [] : [{ ...entry, touch }];
  });

describe('every history is one the system could have', () => {
  it('in log order, within the limits of the API, asked at no earlier than its end', () => {
    fc.assert(
      fc.property(historyArbitrary(), (history) => {
        let before = { offset: -1, appendedAt: -Infinity };
        for (const entry of history.entries) {
          expect(entry.offset).toBeGreaterThan(before.offset);
          expect(entry.appendedAt).toBeGreaterThanOrEqual(before.appendedAt);
          expect(entry.appendedAt).toBeLessThanOrEqual(history.asOf);
          before = entry;
          if ('type' in entry.record && entry.record.type === 'model') scoringModelSchema.parse(entry.record.model);
        }
        for (const { touch, appendedAt } of touchesIn(history)) {
          expect(touch.occurredAt).toBeLessThanOrEqual(appendedAt + 5 * MINUTE_MS);
          expect(touch.accountId ?? touch.contactId).not.toBeNull();
        }
      }),
      { numRuns: 200 },
    );
  });

  it('is the same for the same seed, and as long as asked', () => {
    const options = { steps: { min: 3000, max: 3000 } };
    expect(hostileHistory(7, options)).toEqual(hostileHistory(7, options));
    expect(hostileHistory(8, options)).not.toEqual(hostileHistory(7, options));
    expect(hostileHistory(7, { ...options, models: false }).entries).toHaveLength(3000);
  });

  it('keeps an account in one partition and tells each of a model', () => {
    const partitions = { count: 3, of: (key: string) => key.length % 3 };
    const { entries, asOf } = hostileHistory(1, { steps: { min: 400, max: 400 }, partitions });
    const reference = referenceOf(entries);
    expect(new Set(entries.map((entry) => entry.partition))).toEqual(new Set([0, 1, 2]));
    expect(new Set(reference.accountIds.map((accountId) => reference.view(accountId, asOf)!.modelVersion))).toHaveLength(1);
  });
});

describe('20 histories of 300 steps hold', () => {
  const histories = Array.from({ length: 20 }, (_, seed) => hostileHistory(seed, { steps: { min: 300, max: 300 }, datedAhead: true }));
  const touches = histories.flatMap((history) => touchesIn(history).map((entry) => ({ ...entry, asOf: history.asOf })));
  const atEdge = (time: number, unitMs: number): boolean => time % unitMs === 0 || (time + 1) % unitMs === 0;

  const repeats = histories.flatMap((history) => {
    const appended = new Map<string, number>();
    return touchesIn(history).flatMap(({ touch, appendedAt }) => {
      const before = appended.get(touch.id);
      appended.set(touch.id, appendedAt);
      return before === undefined ? [] : [appendedAt - before];
    });
  });
  const contactFacts = histories.flatMap(({ entries }) =>
    entries.flatMap(({ record }, index) => {
      if (!('type' in record) || record.type !== 'contact') return [];
      const former = entries
        .slice(0, index)
        .flatMap((entry) => ('type' in entry.record && entry.record.type === 'contact' ? [entry.record] : []));
      return former.flatMap((fact) =>
        fact.id === record.id && fact.accountId === record.accountId ? [record.updatedAt - fact.updatedAt] : [],
      );
    }),
  );
  const cappedTouches = histories.flatMap((history) =>
    [...readLog(history.entries).values()].flatMap((account) => {
      const uncapped = account.model.rules.map(({ dailyCap: _, ...rule }) => rule);
      const worths = worthOfTouches(account.touches, account.model.rules);
      return worthOfTouches(account.touches, uncapped).filter((worth, index) => worth !== worths[index]);
    }),
  );
  const patterned = histories.flatMap(({ entries }) =>
    entries.flatMap(({ record }) => ('type' in record && record.type === 'model' ? record.model.rules : [])).filter((rule) => rule.where),
  );
  const known = new Set(referenceModel.rules.map((rule) => rule.kind));

  const rows: [what: string, found: number][] = [
    ['touches late by over 90 days', touches.filter(({ touch, appendedAt }) => appendedAt - touch.occurredAt > 90 * DAY_MS).length],
    ['touches ahead of their append', touches.filter(({ touch, appendedAt }) => touch.occurredAt > appendedAt).length],
    ['touches ahead of the question', touches.filter(({ touch, asOf }) => touch.occurredAt > asOf).length],
    ['touches over an hour ahead', touches.filter(({ touch, appendedAt }) => touch.occurredAt > appendedAt + HOUR_MS).length],
    ['touches at the edge of an hour', touches.filter(({ touch }) => atEdge(touch.occurredAt, HOUR_MS)).length],
    ['touches at the edge of a day', touches.filter(({ touch }) => atEdge(touch.occurredAt, DAY_MS)).length],
    ['ids repeated within the horizon', repeats.filter((gap) => gap < 48 * HOUR_MS).length],
    ['ids repeated beyond the horizon', repeats.filter((gap) => gap >= 48 * HOUR_MS).length],
    ['facts out of order', contactFacts.filter((step) => step < 0).length],
    ['facts at the same time', contactFacts.filter((step) => step === 0).length],
    ['touches without a contact', touches.filter(({ touch }) => touch.contactId === null).length],
    ['touches without an account', touches.filter(({ touch }) => touch.accountId === null).length],
    ['kinds nobody knows', touches.filter(({ touch }) => !known.has(touch.kind)).length],
    ['capped touches', cappedTouches.length],
    ['rules with patterns', patterned.length],
  ];
  it.each(rows)('%s', (_what, found) => {
    expect(found).toBeGreaterThanOrEqual(20);
  });
});
