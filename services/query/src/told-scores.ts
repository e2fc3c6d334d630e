import type { AccountScore } from '@touchstone/codec';
import type { LedgerSet } from '@touchstone/engine';

/** So many accounts' last scores are remembered at least: more than are told within any outage of a publisher that the log's group would not notice. */
const REMEMBERED_MIN = 50_000;

/** Changed in place: under load most accounts are told again and again. */
interface Told {
  version: number;
  asOf: number;
  modelVersion: string;
}

const encoder = new TextEncoder();

/**
 * Tells scores that are news from those that are not: a process that has lost a partition without knowing it yet may still publish, and its
 * scores then stand on the topic after those of the new owner.
 *
 * What was told of the accounts told last is remembered. Any other account was told long ago, so that what is applied to its ledger by now has
 * been published, or will be in a moment: a score that is older than the ledger is left out, and what is published next is news again.
 */
export class ToldScores {
  readonly #ledgers: LedgerSet;
  readonly #rememberedMin: number;
  /** By account: those told last, and as many that were told last before them. */
  #told = new Map<string, Told>();
  #toldBefore: ReadonlyMap<string, Told> = new Map();

  constructor(ledgers: LedgerSet, rememberedMin: number = REMEMBERED_MIN) {
    this.#ledgers = ledgers;
    this.#rememberedMin = rememberedMin;
  }

  /** Whether the score is newer than what readers know of the account; then they know it. */
  isNews(partition: number, score: AccountScore): boolean {
    const told = this.#told.get(score.accountId) ?? this.#remember(partition, score.accountId);
    if (!isNewer(score, told)) return false;
    told.version = score.version;
    told.asOf = score.asOf;
    told.modelVersion = score.modelVersion;
    return true;
  }

  #remember(partition: number, accountId: string): Told {
    if (this.#told.size === this.#rememberedMin) {
      this.#toldBefore = this.#told;
      this.#told = new Map();
    }
    const told = this.#toldBefore.get(accountId) ?? this.#leastOf(partition, accountId);
    this.#told.set(accountId, told);
    return told;
  }

  #leastOf(partition: number, accountId: string): Told {
    const accounts = this.#ledgers.of(partition)?.accounts;
    const bytes = encoder.encode(accountId);
    const row = accounts?.names.find(0, bytes, 0, bytes.length) ?? -1;
    return { version: row < 0 ? -1 : accounts!.version[row]!, asOf: -1, modelVersion: '' };
  }
}

/** A model that was changed gives other scores for the same version. */
function isNewer(score: AccountScore, known: Told): boolean {
  if (score.version !== known.version) return score.version > known.version;
  return score.asOf > known.asOf || score.modelVersion !== known.modelVersion;
}
