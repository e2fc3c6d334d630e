import { compileWhere } from '../match-rule.ts';
import { PartitionLedgers } from '../ledgers.ts';
import type { Fact, OpportunityFact } from '../fact.ts';
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

type IsActNow = (touch: TouchCursor) => boolean;

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
  /** Newest touch by `asOf` that qualifies the account at once, epoch ms; null for none. */
  actNowAt: number | null = null;
  readonly #options: PastOptions;
  readonly #actNow: ReadonlyMap<string, readonly IsActNow[]>;
  readonly #opportunities = new Map<string, OpportunityFact>();
  #clock = 0;
  #isOver = false;

  constructor(options: PastOptions) {
    const { accountId, asOf, isExplained = false, model, partition } = options;
    this.accountId = accountId;
    this.asOf = asOf;
    this.#options = options;
    this.ledgers = new PartitionLedgers(partition, model);
    this.contributions = isExplained ? new Contributions(model, this.ledgers.decay, asOf) : null;
    this.#actNow = actNowOf(model);
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
      this.#note(run.fact!);
    } else if (run.kind === RECORD.touch) {
      this.#look(run.touch);
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

  hasOpportunity(wanted: 'any' | 'open' | 'won' | 'lost'): boolean {
    return [...this.#opportunities.values()].some(({ outcome }) => wanted === 'any' || (outcome ?? 'open') === wanted);
  }

  #countNew(isLate: boolean): void {
    this.newTouches++;
    if (isLate) this.lateTouches++;
  }

  #note(fact: Fact): void {
    if (fact.type !== 'opportunity') return;
    const known = this.#opportunities.get(fact.id);
    if (known === undefined || fact.updatedAt >= known.updatedAt) this.#opportunities.set(fact.id, fact);
  }

  #look(touch: TouchCursor): void {
    const { contributions, ledgers } = this;
    const { bytes, end, occurredAt, start } = touch;
    if (contributions === null && this.#actNow.size === 0) return;
    const kind = ledgers.kinds.intern(bytes, start[FIELD.kind]!, end[FIELD.kind]!);
    contributions?.add(touch, ledgers.kinds.matchingRules(kind, touch), this.#clock);
    if (occurredAt > this.asOf || occurredAt <= (this.actNowAt ?? 0)) return;
    if (this.#actNow.get(ledgers.kinds.name(kind))?.some((isActNow) => isActNow(touch)) === true) this.actNowAt = occurredAt;
  }
}

function actNowOf({ qualification }: ScoringModel): ReadonlyMap<string, readonly IsActNow[]> {
  const byKind = Map.groupBy(qualification?.actNow ?? [], ({ kind }) => kind);
  return new Map(
    [...byKind].map(([kind, patterns]) => [
      kind,
      patterns.map(({ minMinutes, where }): IsActNow => {
        const test = compileWhere(where);
        return (touch) => touch.minutes >= minMinutes && (test === null || test(touch));
      }),
    ]),
  );
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
