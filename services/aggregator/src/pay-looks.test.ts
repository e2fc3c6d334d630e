import { createMetrics, systemScheduler } from '@touchstone/runtime';
import { describe, expect, it } from 'vitest';
import { payAllLooks, payLooks } from './pay-looks.ts';
import { ACCOUNTS, owingIntake, TOUCHED_AT } from './test-intake.ts';

describe('looks that are owed', () => {
  it('are paid in turns, and what they come to is taken up turn by turn', async () => {
    const intake = owingIntake();
    const waiting: number[] = [];
    expect(intake.ledgers.alerts.nextDueAt()).toBe(Infinity);
    await payLooks(intake, { breathe: async () => void waiting.push(intake.untold.end) });
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
    await expect(payLooks(intake, { breathe: () => Promise.reject(gaveUp) })).rejects.toBe(gaveUp);
    const first = intake.cut()!.transitions.length;
    expect([first > 0, first < ACCOUNTS, intake.owesEffects]).toEqual([true, true, true]);
    await payLooks(intake, { breathe: async () => {} });
    expect(intake.cut()!.transitions).toHaveLength(ACCOUNTS - first);
    expect(intake.owesEffects).toBe(false);
  });

  it('that there is no room for are owed still', async () => {
    const intake = owingIntake();
    const hasRoom = (): boolean => intake.untold.end === 0;
    await payLooks(intake, { breathe: async () => {}, hasRoom });
    expect([intake.untold.end > 0, intake.untold.end < ACCOUNTS / 2, intake.owesEffects]).toEqual([true, true, true]);
  });

  it('are paid to the end in a partition that is held, by checkpoints that make room', async () => {
    const intake = owingIntake();
    const cuts: number[] = [];
    let most = 0;
    await payAllLooks(intake, {
      scheduler: { ...systemScheduler, breathe: async () => void (most = Math.max(most, intake.pendingBytes)) },
      metrics: createMetrics(),
      hasRoom: () => intake.pendingBytes < 300_000,
      checkpoint: async () => void cuts.push(intake.cut()!.transitions.length),
      isStopping: () => false,
    });
    cuts.push(intake.cut()!.transitions.length);
    expect(cuts.reduce((sum, one) => sum + one, 0)).toBe(ACCOUNTS);
    expect(cuts.length).toBeGreaterThan(2);
    expect(most).toBeLessThan(300_000);
    expect(intake.owesEffects).toBe(false);
  });

  it('are left to the next start when the process stops', async () => {
    const intake = owingIntake();
    const options = { scheduler: systemScheduler, metrics: createMetrics(), hasRoom: () => true, checkpoint: async () => {} };
    await expect(payAllLooks(intake, { ...options, isStopping: () => true })).rejects.toThrow('the process stops');
    expect(intake.ledgers.alerts.owesLooks).toBe(true);
  });
});
