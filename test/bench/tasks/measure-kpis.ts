import { answerKpi, DEFAULT_SETTINGS, planSpans, type Interval, type Span } from '@touchstone/kpis';
import { KPIS, openStore, type CreditScope, type Dimension, type Store, type StoredKpi } from '@touchstone/store';
import { startChdbHttpFront } from '@touchstone/testkit';
import { fillKpiStore, type KpiWorld } from './fill-kpi-store.ts';

const DAY_MS = 86_400_000;

export interface KpisArgs extends KpiWorld {
  readonly directory: string;
  /** Rounds of all questions. */
  readonly rounds: number;
  /** Epoch ms, as a run before told it, whose directory is asked once more; absent: the directory is empty and filled first. */
  readonly filledAt?: number;
  /** Asked over HTTP, of a process of its own. */
  readonly overHttp: boolean;
}

export interface KpisRun {
  readonly filledAt: number;
  readonly filledSeconds: number;
  /** Of each KPI and each question about opportunities, every answer of each round, ms. */
  readonly times: readonly { readonly name: string; readonly ms: readonly number[] }[];
}

/**
 * Asks every KPI of a store, the whole answer with its comparisons, a series and segments, and what is told of opportunities and their touches. Nothing is
 * kept from answer to answer.
 */
export async function measureKpis(args: KpisArgs): Promise<KpisRun> {
  const front = args.overHttp ? await startChdbHttpFront({ directory: args.directory }) : null;
  const store = await openStore(
    front === null
      ? { kind: 'chdb', directory: args.directory }
      : {
          kind: 'server',
          url: front.url,
          username: 'default',
          password: '',
          database: 'default',
          requestTimeoutMs: 60_000,
          compression: 'none',
        },
  );
  await store.migrate();
  const now = args.filledAt ?? Date.now();
  const startedAt = performance.now();
  if (args.filledAt === undefined) await fillKpiStore(store, args, now);
  const filledSeconds = (performance.now() - startedAt) / 1000;
  const times = new Map<string, number[]>();
  for (let round = 0; round <= args.rounds; round++) {
    for (const { ask, name } of questionsOf(store, now - round * 60_000)) {
      const askedAt = performance.now();
      await ask();
      // The first round opens files and compiles queries.
      if (round > 0) times.set(name, [...(times.get(name) ?? []), performance.now() - askedAt]);
    }
  }
  await store.close();
  await front?.stop();
  return { filledAt: now, filledSeconds, times: [...times].map(([name, ms]) => ({ name, ms })) };
}

interface Question {
  readonly name: string;
  ask(): Promise<unknown>;
}

function questionsOf(store: Store, now: number): Question[] {
  const kpis = KPIS.flatMap((kpi) => periodsOf(now).map((period) => ({ name: kpi.name, ask: () => askKpi(store, kpi, period) })));
  return [...kpis, ...opportunityQuestions(store, now)];
}

interface Period {
  readonly span: Span;
  readonly interval: Interval | null;
  readonly segmentBy: Dimension | null;
  readonly timeZone: string;
}

/** A month so far, a month by days elsewhere, and a quarter by industry. */
function periodsOf(to: number): Period[] {
  const before = (days: number): Span => ({ from: to - days * DAY_MS, to });
  return [
    { span: before(30), interval: null, segmentBy: null, timeZone: 'UTC' },
    { span: before(30), interval: 'day', segmentBy: null, timeZone: 'America/New_York' },
    { span: before(90), interval: 'month', segmentBy: 'industry', timeZone: 'UTC' },
  ];
}

async function askKpi(store: Store, kpi: StoredKpi, { interval, segmentBy, span, timeZone }: Period): Promise<void> {
  const plan = planSpans(span, interval, timeZone)!;
  const parameters = Object.fromEntries(
    Object.entries(kpi.parameters ?? {}).map(([name, { default: usual, values }]) => [name, usual ?? values[0]!]),
  );
  const settings = { ...DEFAULT_SETTINGS, grossMargin: 0.8, rolesWanted: ['decision_maker', 'champion'] };
  const measured = await store.measureKpi({ kpi, spans: plan.spans, segmentBy, filters: {}, settings, parameters });
  answerKpi(kpi, { plan, currency: null, compare: 'previous', parameters, settings, segmentBy, target: null }, measured);
}

/** Of a quarter, as the routes ask by default. */
function opportunityQuestions(store: Store, to: number): Question[] {
  const from = to - 90 * DAY_MS;
  const period = { from, to, filters: {} };
  const touches = { lookbackMs: 90 * DAY_MS, kinds: { but: ['call', 'meeting', 'product_use'] } };
  const credit: CreditScope = { ...period, ...touches, basis: 'won', cut: 'closed', halfLifeMs: 7 * DAY_MS };
  const influence = {
    ...period,
    ...touches,
    passiveKinds: ['ad_impression', 'email_open', 'direct_mail'],
    marketingSources: [],
    by: null,
  };
  const stays = { journey: 'opportunities', since: from, until: to, stalledSince: to - 30 * DAY_MS } as const;
  return [
    { name: 'attribution by campaign', ask: () => store.attribution({ ...credit, by: 'campaign' }) },
    { name: 'influence on pipeline', ask: () => store.influence({ ...influence, basis: 'created' }) },
    { name: 'journey of opportunities', ask: () => store.stageFigures(stays) },
    { name: 'win rates', ask: () => store.outcomes({ ...period, by: 'targetList' }) },
  ];
}
