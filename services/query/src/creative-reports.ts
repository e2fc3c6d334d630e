import {
  compareCreativesInTurns,
  creativeFiguresInTurns,
  type ComparedCreative,
  type CreativeFigures,
  type CreativeQuery,
  mostShownInTurns,
  type LedgerSet,
  type ShownCreative,
  type ShownQuery,
} from '@touchstone/engine';
import { Lanes } from './lanes.ts';

/** Each report takes some bytes for every account and contact while it is made. */
const REPORTS = 2;
const WAITING_MAX = 50;

/** Figures of creatives, each answer of one instant, made in turns of a few milliseconds, so that touches and other answers go on meanwhile. */
export class CreativeReports {
  readonly #ledgers: LedgerSet;
  readonly #lanes = new Lanes({ lanes: REPORTS, waitingMax: WAITING_MAX });

  constructor(ledgers: LedgerSet) {
    this.#ledgers = ledgers;
  }

  /** @throws ProblemError `unavailable` when too many are waited for */
  make(query: CreativeQuery): Promise<{ figures: CreativeFigures[]; modelVersion: string }> {
    return this.#make(async () => {
      const figures: CreativeFigures[] = [];
      for (const one of creativeFiguresInTurns(this.#ledgers, query)) {
        if (one === null) await breath();
        else figures.push(one);
      }
      return { figures };
    });
  }

  /**
   * Creatives of a campaign, in the order given, each with what it has in common with the first.
   * @throws ProblemError `unavailable` when too many are waited for
   */
  compare(
    campaignId: string,
    creativeIds: readonly string[],
    query: Omit<CreativeQuery, 'campaignId' | 'creativeId' | 'groupBy'>,
  ): Promise<{ compared: readonly ComparedCreative[]; modelVersion: string }> {
    return this.#make(async () => {
      return { compared: await inTurns(compareCreativesInTurns(this.#ledgers, campaignId, creativeIds, query)) };
    });
  }

  /**
   * The creatives that are shown most.
   * @throws ProblemError `unavailable` when too many are waited for
   */
  mostShown(query: ShownQuery): Promise<{ shown: readonly ShownCreative[]; modelVersion: string }> {
    return this.#make(async () => ({ shown: await inTurns(mostShownInTurns(this.#ledgers, query)) }));
  }

  #make<Answer extends object>(answer: () => Promise<Answer>): Promise<Answer & { modelVersion: string }> {
    return this.#lanes.run(async () => {
      for (;;) {
        const modelVersion = this.#modelVersion();
        const made = await answer();
        // No answer mixes two models: when another took over meanwhile, it is made anew.
        if (modelVersion === this.#modelVersion()) return { ...made, modelVersion };
      }
    });
  }

  #modelVersion(): string {
    const [any] = this.#ledgers.partitions;
    return any?.model.version ?? '';
  }
}

async function inTurns<Answer>(turns: Generator<null, Answer>): Promise<Answer> {
  for (;;) {
    const { done, value } = turns.next();
    if (done === true) return value;
    await breath();
  }
}

function breath(): Promise<void> {
  return new Promise(setImmediate);
}
