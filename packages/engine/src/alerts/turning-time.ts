import type { PartitionLedgers } from '../ledgers.ts';
import { pointsOf } from '../view.ts';

/** When time alone turns what holds of an account: by decay, or because an hour or a day begins. */

/** Whether what is asked for is no longer as it was. */
export type Turned = (at: number) => boolean;

/** After so many half-lives nothing is left of any sum: see `powerOfTwo`. */
const HALF_LIVES_LEFT = 1100;

/**
 * The first whole millisecond after `at` for which `isTurned` says so, of something that follows points up or down; Infinity for none.
 *
 * Between the instants of touches that are dated ahead, points are A x 2^(-t / halfLife) + C, which goes one way: so what has not turned by the
 * end of such a piece does not turn within it, and where it turns is known in closed form but for the rounding, which is found out by asking.
 * @param level points at which it turns
 */
export function decayTurnsAt(ledgers: PartitionLedgers, account: number, at: number, level: number, isTurned: Turned): number {
  const halfLifeMs = Math.round(ledgers.model.decay.halfLifeDays * 86_400_000);
  const instants = aheadInstants(ledgers, account, at);
  let from = at;
  for (let piece = 0; piece <= instants.length; piece++) {
    const to = instants[piece] ?? from + HALF_LIVES_LEFT * halfLifeMs;
    if (isTurned(to)) return firstTurned(from, to, crossing(ledgers, account, from, level, halfLifeMs), isTurned);
    from = to;
  }
  return Infinity;
}

/** Instants after `at` that touches of the account are dated, in order. */
function aheadInstants({ accounts, ahead }: PartitionLedgers, account: number, at: number): number[] {
  const instants: number[] = [];
  for (let row = accounts.ahead[account]!; row !== 0; row = ahead.next[row]!) {
    if (ahead.occurredAt[row]! > at) instants.push(ahead.occurredAt[row]!);
  }
  return instants.sort((one, other) => one - other);
}

/** Where A x 2^(-t / halfLife) + C is the level, about. */
function crossing(ledgers: PartitionLedgers, account: number, from: number, level: number, halfLifeMs: number): number {
  const { accounts, ahead, contacts, roles } = ledgers;
  let constant = 0;
  for (let row = accounts.ahead[account]!; row !== 0; row = ahead.next[row]!) {
    if (ahead.occurredAt[row]! <= from) continue;
    const contact = ahead.contact[row]!;
    constant += (contact === 0 ? 1 : roles.multiplier(contacts.role[contact - 1]!)) * ahead.worth[row]!;
  }
  const decaying = pointsOf(ledgers, account, from) - constant;
  return from + Math.ceil(halfLifeMs * Math.log2(decaying / (level - constant)));
}

/** @param from where it has not turned, `to` where it has; between them it turns once, most likely `near` */
function firstTurned(from: number, to: number, near: number, isTurned: Turned): number {
  let before = from;
  let after = to;
  const look = (at: number): void => {
    if (!(at > before && at < after)) return;
    if (isTurned(at)) after = at;
    else before = at;
  };
  // Usually the guess is right to the millisecond; where it is of no use, halving finds it as well.
  for (const reach of [1, 64, 4096]) {
    look(near - reach);
    look(near + reach);
    if (after - before <= 2 * reach) break;
  }
  while (after - before > 1) look(before + Math.floor((after - before) / 2));
  return after;
}

export interface Slots {
  readonly unitMs: number;
  /** After so many units what is in a window now has left it. */
  readonly length: number;
}

/**
 * The first boundary of an hour or a day after `at` for which `isTurned` says so, of something that follows figures of windows; Infinity for none.
 * Touches dated ahead come into windows at the boundaries until the last of them; then it turns once at most.
 */
export function boundaryTurnsAt(ledgers: PartitionLedgers, account: number, at: number, slots: Slots, isTurned: Turned): number {
  const { length, unitMs } = slots;
  let boundary = (Math.floor(at / unitMs) + 1) * unitMs;
  const lastTouchAt = ledgers.accounts.lastTouchAt[account]!;
  for (; ; boundary += unitMs) {
    if (isTurned(boundary)) return boundary;
    if (boundary + unitMs > lastTouchAt) break;
  }
  if (!isTurned(boundary + length * unitMs)) return Infinity;
  let before = 0;
  let after = length;
  while (after - before > 1) {
    const middle = (before + after) >>> 1;
    if (isTurned(boundary + middle * unitMs)) after = middle;
    else before = middle;
  }
  return boundary + after * unitMs;
}

/** Whether touches are dated in an hour or day that has not begun at `at`. */
export function hasAhead({ accounts }: PartitionLedgers, account: number, at: number, unitMs: number): boolean {
  return accounts.lastTouchAt[account]! >= (Math.floor(at / unitMs) + 1) * unitMs;
}
