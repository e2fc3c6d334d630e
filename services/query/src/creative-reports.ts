import { creativeFiguresInTurns, type CreativeFigures, type CreativeQuery, type LedgerSet } from '@touchstone/engine';
import { Lanes } from './lanes.ts';

/** Each report takes some bytes for every account and contact while it is made. */
const REPORTS = 2;
const WAITING_MAX = 50;

/** Figures of creatives, made in turns of a few milliseconds, so that touches and other answers go on meanwhile. */
export class CreativeReports {
  readonly #ledgers: LedgerSet;
  readonly #lanes = new Lanes({ lanes: REPORTS, waitingMax: WAITING_MAX });

  constructor(ledgers: LedgerSet) {
    this.#ledgers = ledgers;
  }

  /** @throws ProblemError `unavailable` when too many are waited for */
  make(query: CreativeQuery): Promise<{ figures: CreativeFigures[]; modelVersion: string }> {
    return this.#lanes.run(async () => {
      for (;;) {
        const modelVersion = this.#modelVersion();
        const figures: CreativeFigures[] = [];
        for (const one of creativeFiguresInTurns(this.#ledgers, query)) {
          if (one === null) await new Promise(setImmediate);
          else figures.push(one);
        }
        // No answer mixes two models: when another took over meanwhile, it is made anew.
        if (modelVersion === this.#modelVersion()) return { figures, modelVersion };
      }
    });
  }

  #modelVersion(): string {
    const [any] = this.#ledgers.partitions;
    return any?.model.version ?? '';
  }
}
