import {
  AccountPast,
  defaultModel,
  fieldsUsed,
  modelThen,
  replayAccount,
  type AccountReplay,
  type LedgerPlace,
  type PastOptions,
  type ScoringModel,
} from '@touchstone/engine';
import { ProblemError, sleep, systemScheduler, type Scheduler } from '@touchstone/runtime';
import { Lanes } from './lanes.ts';
import type { QueryStore } from './query-store.ts';

/** What was applied last is stored with the next checkpoint; so long it is waited for. */
const STORED_WITHIN_MS = 3000;
const LOOK_INTERVAL_MS = 25;
/** A replay takes tenths of a second for the largest accounts, and a page of their touches of memory. */
const LANES = { lanes: 2, waitingMax: 100 } as const;
/** So soon after an instant nothing of it is certain to be in the history: what took over since then was seconds ago. */
const HISTORY_LAG_MS = 10_000;

export interface PastsOptions {
  readonly store: Pick<QueryStore, 'accountRecords' | 'models' | 'positions' | 'shownScores'>;
  readonly scheduler?: Scheduler;
}

/** One account at an instant, as it is asked about. */
export interface AskedInstant {
  readonly place: LedgerPlace;
  readonly accountId: string;
  /** Offset of the account's last change that is applied here; nothing after it is looked at. */
  readonly version: number;
  /** Epoch ms. */
  readonly asOf: number;
  /** Whether it is before now, by the clock of answers. */
  readonly isPast: boolean;
}

/** Answers about accounts in the past, from their stored records: one replay each, by the engine's own code. */
export class AccountPasts {
  readonly #store: PastsOptions['store'];
  readonly #scheduler: Scheduler;
  readonly #lanes = new Lanes(LANES);

  constructor({ scheduler = systemScheduler, store }: PastsOptions) {
    this.#store = store;
    this.#scheduler = scheduler;
  }

  /** The model that was in force: see `modelThen`. */
  async modelAt({ accountId, asOf, isPast, place }: AskedInstant, now: number): Promise<ScoringModel> {
    const { model, partition } = place.ledgers;
    // A model that was published has another name: none ever was.
    if (!isPast || model.version === defaultModel.version) return model;
    const [models, shown] = await Promise.all([this.#store.models(), this.#store.shownScores(accountId, asOf)]);
    if (shown.after === null && now - asOf < HISTORY_LAG_MS) return model;
    const records = models.filter((one) => one.partition === partition);
    return modelThen({ at: asOf, records, ...shown, current: model });
  }

  /** The account as it was known at the instant, and for any other instant as of now. */
  async known(asked: AskedInstant, options: Pick<PastOptions, 'isExplained' | 'model'>): Promise<AccountPast> {
    const { accountId, asOf, isPast, place, version } = asked;
    const knownUntil = isPast ? asOf : Infinity;
    const past = new AccountPast({ partition: place.ledgers.partition, accountId, asOf, knownUntil, version, ...options });
    await this.replay(asked, [past]);
    return past;
  }

  /**
   * Brings the account's stored records to these, once all of them that are applied are stored.
   * @param options `ids`: with the ids of touches, which whoever applies them as live needs
   * @throws ProblemError `unavailable` when they are not stored in time, or too many such answers are waited for
   */
  async replay(
    { accountId, place, version }: Pick<AskedInstant, 'accountId' | 'place' | 'version'>,
    pasts: readonly AccountReplay[],
    { ids = false }: { readonly ids?: boolean } = {},
  ): Promise<void> {
    const { partition } = place.ledgers;
    await this.#lanes.run(async () => {
      await this.#untilStored(partition, version);
      const used = new Set(pasts.flatMap(({ model }) => fieldsUsed(model)));
      const fields = [...used.add('channel')];
      const records = this.#store.accountRecords(partition, accountId, version + 1, { fields, ids });
      await replayAccount(records, pasts, () => this.#scheduler.breathe());
    });
  }

  async #untilStored(partition: number, version: number): Promise<void> {
    const startedAt = this.#scheduler.elapsed();
    for (;;) {
      const positions = await this.#store.positions();
      if ((positions.get(partition)?.offset ?? 0) > version) return;
      if (this.#scheduler.elapsed() - startedAt > STORED_WITHIN_MS) {
        throw new ProblemError('unavailable', 'what is known of the account is not stored yet', { headers: { 'retry-after': '2' } });
      }
      await sleep(this.#scheduler, LOOK_INTERVAL_MS);
    }
  }
}
