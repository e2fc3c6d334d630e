import { answerKpi, type KpiAnswer } from '@touchstone/kpis';
import type { Clock } from '@touchstone/runtime';
import type { KpiStore, KpiTarget } from '@touchstone/store';
import { KeptAnswers, type KeptAnswer } from '../kept-answers.ts';
import type { KpiQuestion } from './kpi-query.ts';

/** Answers are kept for so long at least: a page of a dashboard has many panels, and some ask the same. */
const FRESH_MS = 2000;
const TARGETS = 'targets';

export interface KpiBookOptions {
  readonly store: Pick<KpiStore, 'measureKpi' | 'kpiTargets'>;
  readonly clock: Clock;
}

/** Answers about KPIs and the targets they are held against, each kept for a while. */
export class KpiBook {
  readonly #store: KpiBookOptions['store'];
  readonly #answers: KeptAnswers;
  /** Given stale however little they took: every question needs them, and would wait its turn in the store for them. */
  readonly #targets: KeptAnswers;

  constructor({ clock, store }: KpiBookOptions) {
    this.#store = store;
    this.#answers = new KeptAnswers({ clock, freshMinMs: FRESH_MS });
    this.#targets = new KeptAnswers({ clock, freshMinMs: FRESH_MS, dearMs: 0 });
  }

  async targets(): Promise<ReadonlyMap<string, KpiTarget>> {
    const read = async () => new Map((await this.#store.kpiTargets()).map((target) => [target.name, target]));
    return (await this.#targets.get(TARGETS, read)).answer;
  }

  /** After one was set. */
  forgetTargets(): void {
    this.#targets.forget(TARGETS);
  }

  /**
   * @param key tells questions apart
   * @param questionAt the question as it is at an instant, epoch ms: periods up to now move on
   */
  answer(key: unknown, questionAt: (now: number) => KpiQuestion): Promise<KeptAnswer<KpiAnswer>> {
    return this.#answers.get(key, async (now) => {
      const { asked, filters, kpi } = questionAt(now);
      const { parameters, plan, segmentBy, settings } = asked;
      const query = { kpi, spans: plan.spans, segmentBy: segmentBy as never, filters, settings, parameters };
      return answerKpi(kpi, asked, await this.#store.measureKpi(query));
    });
  }
}
