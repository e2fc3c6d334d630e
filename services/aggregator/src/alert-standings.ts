import type { RuleState, Transition } from '@touchstone/engine';

/** How many accounts of a partition stand where: followed step by step, as a look at every account takes too long for a scrape. */
export class AlertStandings {
  readonly #byStage = new Map<string, number>();
  #qualified = 0;

  get qualified(): number {
    return this.#qualified;
  }

  inStage(id: string): number {
    return this.#byStage.get(id) ?? 0;
  }

  restore(states: Iterable<RuleState>): void {
    for (const { isIn, ruleId, stage } of states) {
      if (ruleId === 'stages') this.#move(stage, 1);
      if (ruleId === 'qualification' && isIn) this.#qualified++;
    }
  }

  take({ alert: { currentStage, direction, previousStage, ruleId } }: Transition): void {
    if (ruleId === 'stages') {
      this.#move(previousStage, -1);
      this.#move(currentStage, 1);
    }
    if (ruleId === 'qualification') this.#qualified += direction === 'up' ? 1 : -1;
  }

  #move(stage: string | null, by: number): void {
    if (stage !== null) this.#byStage.set(stage, this.inStage(stage) + by);
  }
}
