import { AccountPast, type PastOptions } from './account-past.ts';
import { fitToSum } from './exact-sum.ts';
import type { ScoringModel } from '../model.ts';

/** What a change of points comes from, in the order in which it is told and added up. */
export const CHANGE_CAUSES = ['touches', 'decay', 'identity', 'model', 'correction'] as const;
export type ChangeCause = (typeof CHANGE_CAUSES)[number];

export interface PointsDiff {
  readonly before: number;
  readonly after: number;
  /** `after - before`; the parts and then `rounding`, from left to right, add up to it to the last bit. */
  readonly change: number;
  readonly parts: Readonly<Record<ChangeCause, number>>;
  readonly rounding: readonly number[];
  /** Counted touches that were appended in between. */
  readonly newTouches: number;
  /** Of those, the ones that had occurred before it began, and what they bring. */
  readonly lateTouches: number;
}

export interface DiffOptions extends Pick<PastOptions, 'partition' | 'accountId'> {
  /** Epoch ms. */
  readonly from: number;
  readonly to: number;
  /** Those in force then. */
  readonly modelFrom: ScoringModel;
  readonly modelTo: ScoringModel;
}

/**
 * Splits the change of an account's points between two instants. One thing is changed after the other, each step a state of the account's ledgers:
 *
 *     as served at `from`                                  before
 *     the same touches, roles and model, at `to`           + decay
 *     and the touches appended since                       + touches (what they have faded since is in it)
 *     and the roles that became known since                + identity
 *     and the model that took over since                   + model        = after, as served at `to`
 *
 * A correction is a touch that was taken back; nothing is taken back yet, so it is 0.
 */
export class AccountDiff {
  readonly before: AccountPast;
  readonly after: AccountPast;
  readonly #touched: AccountPast;
  readonly #identified: AccountPast;

  constructor({ accountId, from, modelFrom, modelTo, partition, to }: DiffOptions) {
    const whose = { partition, accountId };
    this.before = new AccountPast({ ...whose, asOf: from, model: modelFrom });
    this.#touched = new AccountPast({ ...whose, asOf: to, model: modelFrom, rolesUntil: from });
    this.#identified = new AccountPast({ ...whose, asOf: to, model: modelFrom, newSince: from });
    const isSame = modelTo.version === modelFrom.version;
    this.after = isSame ? this.#identified : new AccountPast({ ...whose, asOf: to, model: modelTo });
  }

  /** To be replayed before anything is asked. */
  get pasts(): readonly AccountPast[] {
    return [...new Set([this.before, this.#touched, this.#identified, this.after])];
  }

  get result(): PointsDiff {
    const { newTouches, lateTouches } = this.#identified;
    const before = this.before.points;
    const faded = this.before.pointsAt(this.after.asOf);
    const touched = this.#touched.points;
    const identified = this.#identified.points;
    const after = this.after.points;
    const change = after - before;
    const values = Float64Array.of(touched - faded, faded - before, identified - touched, after - identified, 0);
    const rounding = fitToSum(values, change);
    const parts = Object.fromEntries(CHANGE_CAUSES.map((cause, at) => [cause, values[at]!])) as Record<ChangeCause, number>;
    return { before, after, change, parts, rounding, newTouches, lateTouches };
  }
}
