import {
  hourOf,
  pointsOf,
  scoreOf,
  type AccountFact,
  type LedgerPlace,
  type LedgerSet,
  type PartitionLedgers,
  type ScoringModel,
} from '@touchstone/engine';
import { accountTextAfter, timeText } from './answers.ts';

/** Characters kept in all, each partition its part: those of some 5,000 accounts, which take 3,000 each as a rule; 16 MB, or 32 beyond Latin-1. */
const KEPT_UNITS_MAX = 16 * 1024 * 1024;
/** A text that takes more than one of so many parts of what its partition keeps is not kept: it would push out the others, each time anew. */
const PARTS_MIN = 4;

/** The JSON of an account on both sides of what follows the clock, and all that it depends on. */
interface KeptText {
  /** From the beginning to before the score. */
  readonly begin: string;
  /** From the version to the end. */
  readonly rest: string;
  readonly version: number;
  readonly hour: number;
  readonly model: ScoringModel;
  readonly fact: AccountFact | null;
  readonly stage: string | null;
  readonly qualified: boolean | null;
}

/**
 * Accounts as JSON. Windows and reach are most of the work of an answer, and are the same until the account's next touch or fact, the next hour, or
 * the next model; so is all else but the score and its instant, and where the account stands, which time alone may change: whoever asks again before
 * any of that has changed is given the same text around these. Of an account only its last one is kept.
 */
export class AccountTexts {
  /** By partition, and gone with its ledgers. */
  readonly #kept = new WeakMap<PartitionLedgers, PartitionTexts>();
  readonly #ledgers: LedgerSet;
  readonly #unitsMax: number;
  /** Of the answers of one millisecond, all have the same. */
  #asOf = NaN;
  #asOfText = '';

  constructor(ledgers: LedgerSet, unitsMax: number = KEPT_UNITS_MAX) {
    this.#ledgers = ledgers;
    this.#unitsMax = unitsMax;
  }

  /**
   * The JSON of `accountAnswer`.
   * @param asOf not before the account's `earliestInstant`
   */
  of(place: LedgerPlace, asOf: number): string {
    const { account, ledgers } = place;
    const { begin, rest } = this.#keptOf(place, asOf);
    const points = pointsOf(ledgers, account, asOf);
    const score = scoreOf(points, ledgers.model.halfScorePoints);
    if (asOf !== this.#asOf) {
      this.#asOf = asOf;
      this.#asOfText = timeText(asOf);
    }
    return `${begin}"score":${numberText(score)},"points":${numberText(points)},"asOf":"${this.#asOfText}",${rest}`;
  }

  /** Characters kept of a partition. */
  unitsOf(ledgers: PartitionLedgers): number {
    return this.#textsOf(ledgers).units;
  }

  #keptOf({ account, ledgers }: LedgerPlace, asOf: number): KeptText {
    const texts = this.#textsOf(ledgers);
    const { accounts, model } = ledgers;
    const version = accounts.version[account]!;
    const hour = hourOf(asOf);
    const fact = accounts.facts.get(account) ?? null;
    const { qualified, stage } = ledgers.alerts.membershipOf(account);
    const former = texts.get(account);
    if (
      former !== undefined &&
      former.version === version &&
      former.hour === hour &&
      former.model === model &&
      former.fact === fact &&
      former.stage === stage &&
      former.qualified === qualified
    ) {
      return former;
    }
    const figures = ledgers.watched.figuresOf(ledgers, account, asOf);
    const head = { version, modelVersion: model.version, lastTouchAt: accounts.lastTouch(account) };
    const text: KeptText = {
      begin: former?.begin ?? `{"accountId":${JSON.stringify(accounts.names.text(account))},`,
      rest: accountTextAfter(head, figures, fact, { stage, qualified }),
      version,
      hour,
      model,
      fact,
      stage,
      qualified,
    };
    texts.put(account, text, this.#unitsMax / Math.max(1, this.#ledgers.size));
    return text;
  }

  #textsOf(ledgers: PartitionLedgers): PartitionTexts {
    let texts = this.#kept.get(ledgers);
    if (texts === undefined) this.#kept.set(ledgers, (texts = new PartitionTexts()));
    return texts;
  }
}

/** The texts made last. */
class PartitionTexts {
  units = 0;
  readonly #byAccount = new Map<number, KeptText>();

  get(account: number): KeptText | undefined {
    return this.#byAccount.get(account);
  }

  put(account: number, text: KeptText, unitsMax: number): void {
    this.#remove(account);
    if (unitsIn(text) > unitsMax / PARTS_MIN) return;
    this.#byAccount.set(account, text);
    this.units += unitsIn(text);
    for (const oldest of this.#byAccount.keys()) {
      if (this.units <= unitsMax) break;
      this.#remove(oldest);
    }
  }

  #remove(account: number): void {
    const text = this.#byAccount.get(account);
    if (text === undefined) return;
    this.units -= unitsIn(text);
    this.#byAccount.delete(account);
  }
}

function unitsIn({ begin, rest }: KeptText): number {
  return begin.length + rest.length;
}

/** As in JSON. */
function numberText(value: number): string {
  return Number.isFinite(value) ? String(value) : 'null';
}
