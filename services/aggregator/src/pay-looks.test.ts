import { describe, expect, it } from 'vitest';
import { payLooks } from './pay-looks.ts';
import { ACCOUNTS, owingIntake, TOUCHED_AT } from './test-intake.ts';

describe('looks that are owed', () => {
  it('are paid in turns, and what they come to is taken up turn by turn', async () => {
    const intake = owingIntake();
    const waiting: number[] = [];
    expect(intake.ledgers.alerts.nextDueAt()).toBe(Infinity);
    await payLooks(intake, async () => void waiting.push(intake.untold.end));
    expect(waiting.length).toBeGreaterThan(3);
    expect(waiting).toEqual(waiting.toSorted((one, other) => one - other));
    expect(waiting[0]).toBeLessThan(ACCOUNTS / 2);
    expect(intake.untold.end).toBe(ACCOUNTS);
    const cut = intake.cut()!;
    expect(new Set(cut.transitions.map(({ alert, offset }) => [alert.at, alert.cause, offset].join()))).toEqual(
      new Set([`${TOUCHED_AT},model,999`]),
    );
    expect(intake.ledgers.alerts.nextDueAt()).toBeLessThan(Infinity);
  });

  it('that are given up are owed still, and forbid to commit, though all that came of them is cut', async () => {
    const intake = owingIntake();
    const gaveUp = new Error('the process stops');
    await expect(payLooks(intake, () => Promise.reject(gaveUp))).rejects.toBe(gaveUp);
    const first = intake.cut()!.transitions.length;
    expect([first > 0, first < ACCOUNTS, intake.owesEffects]).toEqual([true, true, true]);
    await payLooks(intake, async () => {});
    expect(intake.cut()!.transitions).toHaveLength(ACCOUNTS - first);
    expect(intake.owesEffects).toBe(false);
  });
});
