import { answerKpi, DEFAULT_SETTINGS, planSpans, type Interval, type Span } from '@touchstone/kpis';
import { KPIS, openStore, type Dimension, type Store, type StoredKpi } from '@touchstone/store';
import { fillKpiStore, type KpiWorld } from './fill-kpi-store.ts';

const DAY_MS = 86_400_000;

export interface KpisArgs extends KpiWorld {
  readonly directory: string;
  /** Rounds of all questions. */
  readonly rounds: number;
}

export interface KpisRun {
  readonly filledSeconds: number;
  /** Of each KPI, every answer of each round, ms. */
  readonly times: readonly { readonly name: string; readonly ms: readonly number[] }[];
}

/** Asks every KPI of a store that is filled first: the whole answer with its comparisons, a series and segments, nothing kept from answer to answer. */
export async function measureKpis(args: KpisArgs): Promise<KpisRun> {
  const store = await openStore({ kind: 'chdb', directory: args.directory });
  await store.migrate();
  const now = Date.now();
  const startedAt = performance.now();
  await fillKpiStore(store, args, now);
  const filledSeconds = (performance.now() - startedAt) / 1000;
  const times = KPIS.map(({ name }) => ({ name, ms: [] as number[] }));
  for (let round = 0; round <= args.rounds; round++) {
    for (const [index, kpi] of KPIS.entries()) {
      for (const question of questionsOf(now, round)) {
        const askedAt = performance.now();
        await ask(store, kpi, question);
        // The first round opens files and compiles queries.
        if (round > 0) times[index]!.ms.push(performance.now() - askedAt);
      }
    }
  }
  await store.close();
  return { filledSeconds, times };
}

interface Question {
  readonly period: Span;
  readonly interval: Interval | null;
  readonly segmentBy: Dimension | null;
  readonly timeZone: string;
}

/** A month so far, a month by days elsewhere, and a quarter by industry; each round a little earlier. */
function questionsOf(now: number, round: number): Question[] {
  const to = now - round * 60_000;
  const before = (days: number): Span => ({ from: to - days * DAY_MS, to });
  return [
    { period: before(30), interval: null, segmentBy: null, timeZone: 'UTC' },
    { period: before(30), interval: 'day', segmentBy: null, timeZone: 'America/New_York' },
    { period: before(90), interval: 'month', segmentBy: 'industry', timeZone: 'UTC' },
  ];
}

async function ask(store: Store, kpi: StoredKpi, { interval, period, segmentBy, timeZone }: Question): Promise<void> {
  const plan = planSpans(period, interval, timeZone)!;
  const parameters = Object.fromEntries(
    Object.entries(kpi.parameters ?? {}).map(([name, { default: usual, values }]) => [name, usual ?? values[0]!]),
  );
  const settings = { ...DEFAULT_SETTINGS, grossMargin: 0.8, rolesWanted: ['decision_maker', 'champion'] };
  const measured = await store.measureKpi({ kpi, spans: plan.spans, segmentBy, filters: {}, settings, parameters });
  answerKpi(kpi, { plan, currency: null, compare: 'previous', parameters, settings, segmentBy, target: null }, measured);
}
