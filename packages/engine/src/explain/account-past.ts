import type { Standing } from '../alerts/standing.ts';
import { PartitionLedgers } from '../ledgers.ts';
import type { ScoringModel } from '../model.ts';
import { RECORD, type RecordRun } from '../record.ts';
import { FIELD, type TouchCursor } from '../touch.ts';
import { pointsOf, viewOf, type AccountView } from '../view.ts';
import { Contributions } from './contributions.ts';

export interface PastOptions {
  readonly partition: number;
  readonly accountId: string;
  readonly model: ScoringModel;
  /** The instant that figures are computed for, epoch ms. */
  readonly asOf: number;
  /** Nothing appended after it is known, epoch ms; default `asOf`. */
  readonly knownUntil?: number;
  /** Nothing of an offset above it is known either; default none is too high. */
  readonly version?: number;
  /** What contact facts say is known up to here only, epoch ms; default `knownUntil`. */
  readonly rolesUntil?: number;
  /** Touches appended after it are counted apart, epoch ms. */
  readonly newSince?: number;
  /** Whether to add up what each contact, rule and campaign brought. */
  readonly isExplained?: boolean;
}

/**
 * One account as it was known at an instant: the engine's own ledgers, from the account's records alone. Every sum is added up in the order of the
 * log, as in the ledgers of the whole partition, so figures come out to the last bit: the landmark of the decay may be another one, which is a power of two
 * and shows in nothing that counts as points (see score.ts).
 *
 * What is known at an instant are the records before the first that was appended after it: a prefix of the log, also where its clock has fallen.
 */
export class AccountPast {
  readonly accountId: string;
  readonly asOf: number;
  readonly ledgers: PartitionLedgers;
  readonly contributions: Contributions | null;
  /** When the first record of the account was appended, known or not, epoch ms; null while none came. */
  firstKnownAt: number | null = null;
  /** When the last one that is known was, by the clock of the log; 0 for none. */
  lastKnownAt = 0;
  /** Touches appended after `newSince`; and of those, the ones that had occurred before it. */
  newTouches = 0;
  lateTouches = 0;
  readonly #options: PastOptions;
  #clock = 0;
  #isOver = false;

  constructor(options: PastOptions) {
    const { accountId, asOf, isExplained = false, model, partition } = options;
    this.accountId = accountId;
    this.asOf = asOf;
    this.#options = options;
    this.ledgers = new PartitionLedgers(partition, model);
    this.contributions = isExplained ? new Contributions(model, this.ledgers.decay, asOf) : null;
  }

  get model(): ScoringModel {
    return this.ledgers.model;
  }

  /** Whether nothing that follows on the log was known. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Takes the record that the run stands on, one of this account's, if it was known. */
  take(run: RecordRun): void {
    const { asOf, knownUntil = asOf, newSince = Infinity, rolesUntil = knownUntil, version = Infinity } = this.#options;
    this.#clock = Math.max(this.#clock, run.appendedAt);
    this.firstKnownAt ??= run.appendedAt;
    this.#isOver ||= this.#clock > knownUntil || run.offset > version;
    if (this.#isOver) return;
    this.lastKnownAt = this.#clock;
    if (run.kind === RECORD.fact) {
      if (run.fact!.type === 'contact' && this.#clock > rolesUntil) return;
    } else if (run.kind === RECORD.touch) {
      if (this.contributions !== null) this.#explain(this.contributions, run.touch);
      if (this.#clock > newSince) this.#countNew(run.touch.occurredAt < newSince);
    }
    this.ledgers.take(run, true);
  }

  /** Before the run goes on to other bytes, and before anything is read. */
  settle(): void {
    this.ledgers.settle();
  }

  /** Row of the account in the ledgers; -1 while nobody has named it. */
  get account(): number {
    return this.ledgers.accounts.size - 1;
  }

  get points(): number {
    return this.pointsAt(this.asOf);
  }

  /** Points of what is known, at another instant that is not before it; 0 for an account that was not known. */
  pointsAt(instant: number): number {
    return this.account < 0 ? 0 : pointsOf(this.ledgers, this.account, instant);
  }

  /** Everything that was served of the account; null when it was not known. */
  get view(): AccountView | null {
    return this.account < 0 ? null : viewOf(this.ledgers, this.account, this.asOf);
  }

  /** Where it stood under the rules of the model; only of an account that was known. */
  get standing(): Standing {
    return this.ledgers.alerts.standing(this.account, this.asOf);
  }

  #countNew(isLate: boolean): void {
    this.newTouches++;
    if (isLate) this.lateTouches++;
  }

  #explain(contributions: Contributions, touch: TouchCursor): void {
    const { kinds } = this.ledgers;
    const kind = kinds.intern(touch.bytes, touch.start[FIELD.kind]!, touch.end[FIELD.kind]!);
    contributions.add(touch, kinds.matchingRules(kind, touch), this.#clock);
  }
}

/** Records between two breaths: some milliseconds of work. */
const RECORDS_A_BREATH = 2048;

/**
 * Brings the records of one account to whoever asks about its past, in one pass.
 * @param runs the account's stored records in offset order
 * @param breathe called every so many records, so that whoever shares the thread gets a turn
 */
export async function replayAccount(
  runs: AsyncIterable<RecordRun>,
  pasts: readonly AccountPast[],
  breathe: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  let taken = 0;
  for await (const run of runs) {
    while (run.next()) {
      for (const past of pasts) past.take(run);
      if (pasts.every(({ isOver }) => isOver)) break;
      if (++taken % RECORDS_A_BREATH !== 0) continue;
      for (const past of pasts) past.settle();
      await breathe();
    }
    for (const past of pasts) past.settle();
    if (pasts.every(({ isOver }) => isOver)) return;
  }
}
