import { TouchWriter } from '@touchstone/codec';
import { PartitionLedgers, scoringModelSchema } from '@touchstone/engine';
import { RecordBlockBuilder } from '@touchstone/event-log';
import { describe, expect, it } from 'vitest';
import { Intake } from './intake.ts';
import { payLooks } from './pay-looks.ts';
import { accountScoring } from './scoring-job.ts';

const T = Date.UTC(2026, 5, 1);
const ACCOUNTS = 1000;
const none = { contactId: null, channel: null, campaignId: null, creativeId: null, url: null, source: null, minutes: 0, properties: {} };
const model = scoringModelSchema.parse({ version: 'm', rules: [] });

/** Accounts that are in as soon as somebody looks. */
function intakeOf(): Intake {
  const ledgers = new PartitionLedgers(0, model);
  const store = { touchRows: () => ({ count: 0, byteLength: 0, add() {} }) };
  const intake = new Intake({
    run: accountScoring.openRun(0),
    store,
    ledgers,
    generation: 'g',
    models: [],
    heldUntil: 0,
    modelPublished: model.version,
  });
  const writer = new TouchWriter();
  const builder = new RecordBlockBuilder();
  for (let i = 0; i < ACCOUNTS; i++) {
    writer.write({ id: `t-${i}`, accountId: `account-${i}`, kind: 'meeting', occurredAt: T, ...none });
    builder.append(writer.key(), writer.value());
  }
  const bytes = builder.bytes().slice();
  intake.apply({ partition: 0, baseOffset: 0, nextOffset: ACCOUNTS, count: ACCOUNTS, appendedAt: T, bytes });
  ledgers.model = scoringModelSchema.parse({ ...model, thresholds: [{ id: 'seen', metric: 'touches.24h', enter: 1 }] });
  ledgers.alerts.changeRules();
  return intake;
}

describe('looks that are owed', () => {
  it('are paid in turns, and what they come to is taken up turn by turn', async () => {
    const intake = intakeOf();
    const waiting: number[] = [];
    expect(intake.ledgers.alerts.nextDueAt()).toBe(Infinity);
    await payLooks(intake, async () => void waiting.push(intake.untold.end));
    expect(waiting.length).toBeGreaterThan(3);
    expect(waiting).toEqual(waiting.toSorted((one, other) => one - other));
    expect(waiting[0]).toBeLessThan(ACCOUNTS / 2);
    expect(intake.untold.end).toBe(ACCOUNTS);
    const cut = intake.cut()!;
    expect(new Set(cut.transitions.map(({ alert, offset }) => [alert.at, alert.cause, offset].join()))).toEqual(
      new Set([`${T},model,999`]),
    );
    expect(intake.ledgers.alerts.nextDueAt()).toBeLessThan(Infinity);
  });

  it('that are given up are owed still, and forbid to commit, though all that came of them is cut', async () => {
    const intake = intakeOf();
    const gaveUp = new Error('the process stops');
    await expect(payLooks(intake, () => Promise.reject(gaveUp))).rejects.toBe(gaveUp);
    const first = intake.cut()!.transitions.length;
    expect([first > 0, first < ACCOUNTS, intake.owesEffects]).toEqual([true, true, true]);
    await payLooks(intake, async () => {});
    expect(intake.cut()!.transitions).toHaveLength(ACCOUNTS - first);
    expect(intake.owesEffects).toBe(false);
  });
});
