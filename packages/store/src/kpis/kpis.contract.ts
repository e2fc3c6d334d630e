import type { Fact } from '@touchstone/engine';
import { answerKpi, DEFAULT_SETTINGS, planSpans, type Asked, type Interval, type KpiAnswer, type KpiSettings } from '@touchstone/kpis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClickHouseStore } from '../click-house-store.ts';
import type { RowTransport } from '../row-transport.ts';
import { GENERATION } from '../test-records.ts';
import type { Dimension } from './dimensions.ts';
import { KPIS } from './list.ts';

const unsaid = { accountId: null, contactId: null, status: null, source: null, campaignId: null, createdAt: null, qualifiedAt: null };
const at = (text: string): number => Date.parse(text);

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
    const stored = facts.map((fact) => ({
      partition: 0,
      offset: this.#offset++,
      appendedAt: at('2026-06-01T00:00:00Z') + this.#offset,
      fact,
    }));
    const rest = { touches: this.store.touchRows(0), deadLetters: [], transitions: [], generation: GENERATION };
    // As a checkpoint that is repeated.
    for (let time = 0; time < 2; time++) await this.store.checkpoint([{ partition: 0, offset: this.#offset, facts: stored, ...rest }]);
  }

  async ask(name: string, question: Question): Promise<KpiAnswer> {
    const kpi = KPIS.find((one) => one.name === name)!;
    const { currency = null, filters = {}, interval = null, parameters = {}, segmentBy = null, timeZone = 'UTC' } = question;
    const plan = planSpans({ from: at(question.from), to: at(question.to) }, interval, timeZone)!;
    const settings = { ...DEFAULT_SETTINGS, ...question.settings };
    const measured = await this.store.measureKpi({ kpi, spans: plan.spans, segmentBy, filters, settings, parameters });
    const asked: Asked = { plan, currency, compare: 'previous', parameters, settings, segmentBy, target: null };
    return answerKpi(kpi, asked, measured);
  }
}

export function describeKpis(name: string, open: () => Promise<RowTransport>): void {
  describe(`KPIs on ${name}`, () => {
    let world: KpiWorld;

    beforeAll(async () => {
      world = new KpiWorld(await open());
      await world.store.migrate();
    });

    afterAll(() => world.store.close());

    it('tell the qualified lead rate', async () => {
      const march = { from: '2026-03-01T00:00:00Z', to: '2026-04-01T00:00:00Z' };
      expect(await world.ask('qualified_lead_rate', march)).toMatchObject({ value: null, reason: 'no leads are known' });
      const lead = (id: string, createdAt: string, more: object = {}): Fact => ({
        ...unsaid,
        type: 'lead',
        id,
        updatedAt: at('2026-05-01T00:00:00Z'),
        createdAt: at(createdAt),
        ...more,
      });
      await world.tell([
        lead('a', '2026-03-01T00:00:00Z', { qualifiedAt: at('2026-03-05T00:00:00Z'), source: 'ads' }),
        lead('b', '2026-03-31T23:59:59.999Z', { source: 'web' }),
        lead('c', '2026-03-15T00:00:00Z', { status: 'MQL', source: 'web' }),
        lead('d', '2026-03-15T00:00:00Z'),
        lead('e', '2026-04-01T00:00:00Z'),
        lead('f', '2026-02-01T00:00:00Z', { qualifiedAt: at('2026-03-05T00:00:00Z') }),
      ]);
      const answer = await world.ask('qualified_lead_rate', { ...march, interval: 'week', segmentBy: 'source' });
      expect(answer).toMatchObject({ value: 50, numerator: 2, denominator: 4, previous: { value: 100 }, change: { absolute: -50 } });
      expect(answer.segments.map(({ segment, value }) => [segment, value])).toEqual([
        ['web', 50],
        [null, 0],
        ['ads', 100],
      ]);
      expect(answer.series.map(({ denominator, value }) => [denominator, value])).toEqual([
        [1, 100],
        [0, null],
        [2, 50],
        [0, null],
        [0, null],
        [1, 0],
      ]);
    });
  });
}
