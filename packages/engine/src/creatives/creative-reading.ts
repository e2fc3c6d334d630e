import type { CreativeDayView } from '../columns/creative-day-view.ts';
import type { Creatives } from '../columns/creatives.ts';
import type { LedgerSet } from '../ledger-set.ts';
import type { PartitionLedgers } from '../ledgers.ts';
import { aheadPointsOf } from './ahead-points.ts';
import { AccountGatherer, type AccountTest, type DayRange } from './account-figures.ts';
import { Pace } from './pace.ts';

interface Asked extends DayRange {
  readonly accountFilter?: AccountTest | null;
  readonly asOf: number;
  readonly cellsATurn?: number;
}

export interface PartitionReading {
  readonly ledgers: PartitionLedgers;
  readonly creatives: Creatives;
  /** By UTC day, of the days that are asked for and hold something, in their order. */
  readonly views: ReadonlyMap<number, CreativeDayView>;
  /** Another one that gathers what there was when the reading began. */
  readonly gatherer: () => AccountGatherer;
}

/** What creatives of all partitions had done at the instant at which it was made, for an answer that takes many turns. It has to be closed. */
export class CreativeReading {
  /** In order of their numbers: sums are rounded in one order whoever asks. */
  readonly partitions: readonly PartitionReading[];
  readonly #views: CreativeDayView[] = [];
  readonly pace: Pace;

  constructor(set: LedgerSet, asked: Asked) {
    this.pace = new Pace(asked.cellsATurn);
    const sorted = [...set.partitions].sort((one, other) => one.partition - other.partition);
    this.partitions = sorted.flatMap((ledgers) => this.#open(ledgers, asked));
  }

  /** Chains the cells that no reader has looked at so far. */
  *chain(): Generator<null> {
    for (const { day } of this.#views) {
      while (day.unchained > 0) {
        const cells = Math.min(day.unchained, Math.max(1, this.pace.left));
        day.chain(cells);
        if (this.pace.spend(cells)) yield null;
      }
    }
  }

  close(): void {
    for (const view of this.#views) view.day.closeView(view);
  }

  #open(ledgers: PartitionLedgers, asked: Asked): PartitionReading[] {
    const { creatives } = ledgers;
    if (creatives === null) return [];
    const views = new Map<number, CreativeDayView>();
    for (let day = asked.from; day <= asked.to; day++) {
      const view = creatives.dayOf(day)?.openView();
      if (view !== undefined) views.set(day, view);
    }
    this.#views.push(...views.values());
    const asOf = Math.max(asked.asOf, ledgers.now);
    const ahead = aheadPointsOf(ledgers, asked, asOf);
    const inOrder = [...views.values()];
    return [{ ledgers, creatives, views, gatherer: () => new AccountGatherer(ledgers, inOrder, ahead, { ...asked, asOf }, this.pace) }];
  }
}
