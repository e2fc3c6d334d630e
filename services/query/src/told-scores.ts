import type { AccountScore } from '@touchstone/codec';
import type { LedgerSet } from '@touchstone/engine';

/** Accounts whose last score is remembered: more than are told within any outage of a publisher that the log's group would not notice. */
const REMEMBERED_MAX = 50_000;

type Told = Pick<AccountScore, 'version' | 'asOf' | 'modelVersion'>;

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
  /** By account; the one told longest ago first. */
  readonly #told = new Map<string, Told>();

  constructor(ledgers: LedgerSet) {
    this.#ledgers = ledgers;
  }

  /** Whether the score is newer than what readers know of the account; then they know it. */
  isNews(partition: number, score: AccountScore): boolean {
    const known = this.#told.get(score.accountId) ?? this.#leastOf(partition, score.accountId);
    const isNews = known === null || isNewer(score, known);
    this.#remember(score.accountId, isNews ? score : known);
    return isNews;
  }

  #remember(accountId: string, { asOf, modelVersion, version }: Told): void {
    this.#told.delete(accountId);
    this.#told.set(accountId, { version, asOf, modelVersion });
    if (this.#told.size > REMEMBERED_MAX) this.#told.delete(this.#told.keys().next().value!);
  }

  #leastOf(partition: number, accountId: string): Told | null {
    const accounts = this.#ledgers.of(partition)?.accounts;
    const bytes = encoder.encode(accountId);
    const row = accounts?.names.find(0, bytes, 0, bytes.length) ?? -1;
    return row < 0 ? null : { version: accounts!.version[row]!, asOf: -1, modelVersion: '' };
  }
}

/** A model that was changed gives other scores for the same version. */
function isNewer(score: Told, known: Told): boolean {
  if (score.version !== known.version) return score.version > known.version;
  return score.asOf > known.asOf || score.modelVersion !== known.modelVersion;
}
