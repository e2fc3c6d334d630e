import type { Fact } from '@touchstone/engine';
import type { GeneratedTouch } from '@touchstone/testkit';
import { answerKpi, DEFAULT_SETTINGS, planSpans, type Asked, type Interval, type KpiAnswer, type KpiSettings } from '@touchstone/kpis';
import { ClickHouseStore } from '../click-house-store.ts';
import type { RowTransport } from '../row-transport.ts';
import { checkpointOf, GENERATION, touchAt } from '../test-records.ts';
import type { Dimension } from './dimensions.ts';
import { KPIS } from './list.ts';

/** A question in the words of tests; times are RFC 3339. */
export interface Question {
  readonly from: string;
  readonly to: string;
  readonly interval?: Interval;
  readonly timeZone?: string;
  readonly segmentBy?: Dimension;
  readonly filters?: Partial<Record<Dimension, readonly string[]>>;
  readonly currency?: string;
  readonly settings?: Partial<KpiSettings>;
  readonly parameters?: Record<string, string>;
}

/** A store that is told facts, and asked KPIs. */
export class KpiWorld {
  readonly store: ClickHouseStore;
  #offset = 0;

  constructor(transport: RowTransport) {
    this.store = new ClickHouseStore(transport);
  }

  async tell(facts: readonly Fact[]): Promise<void> {
    const stored = facts.map((fact) => {
      const offset = this.#offset++;
      return { partition: 0, offset, appendedAt: Date.UTC(2026, 5, 1) + offset, fact };
    });
    const rest = { touches: this.store.touchRows(0), deadLetters: [], transitions: [], generation: GENERATION };
    // As by a checkpoint that is repeated.
    for (let time = 0; time < 2; time++) await this.store.checkpoint([{ partition: 0, offset: this.#offset, facts: stored, ...rest }]);
  }

  async touch(touches: readonly Partial<GeneratedTouch>[]): Promise<void> {
    const entries = touches.map((touch) => touchAt(this.#offset++, touch));
    for (let time = 0; time < 2; time++) await this.store.checkpoint([checkpointOf(this.store, entries)]);
  }

  async ask(name: string, question: Question): Promise<KpiAnswer> {
    const kpi = KPIS.find((one) => one.name === name)!;
    const { currency = null, filters = {}, interval = null, parameters = {}, segmentBy = null, timeZone = 'UTC' } = question;
    const plan = planSpans({ from: Date.parse(question.from), to: Date.parse(question.to) }, interval, timeZone)!;
    const settings = { ...DEFAULT_SETTINGS, ...question.settings };
    const measured = await this.store.measureKpi({ kpi, spans: plan.spans, segmentBy, filters, settings, parameters });
    const asked: Asked = { plan, currency, compare: 'previous', parameters, settings, segmentBy, target: null };
    return answerKpi(kpi, asked, measured);
  }
}
