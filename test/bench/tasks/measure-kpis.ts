import { LogRun } from '@touchstone/codec';
import type { Fact } from '@touchstone/engine';
import { RecordReader, type RecordBlock } from '@touchstone/event-log';
import { answerKpi, DEFAULT_SETTINGS, planSpans, type Interval, type Span } from '@touchstone/kpis';
import { KPIS, openStore, type Dimension, type Store, type StoredFact, type StoredKpi } from '@touchstone/store';
import { revenueFacts } from '../workload/revenue-facts.ts';
import { makeTouchBlocks, type BlockArgs } from './touch-blocks.ts';

const DAY_MS = 86_400_000;
const GENERATION = 'bench';
const TOUCHES_AT_ONCE = 250_000;
const FACTS_AT_ONCE = 20_000;
/** Facts are of a partition that no touch is of: their offsets are their own. */
const FACTS_PARTITION = 60_000;

export interface KpisArgs extends BlockArgs {
  readonly directory: string;
  readonly deals: number;
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
  await fillTouches(store, args);
  await fillFacts(store, args, now);
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

async function fillTouches(store: Store, args: KpisArgs): Promise<void> {
  const ends = Array.from({ length: args.partitions }, () => 0);
  for (let made = 0; made < args.touches; made += TOUCHES_AT_ONCE) {
    const touches = Math.min(TOUCHES_AT_ONCE, args.touches - made);
    const blocks = makeTouchBlocks({ ...args, touches, seed: args.seed + made });
    const rows = ends.map((_, partition) => store.touchRows(partition));
    const runs = ends.map((_, partition) => new LogRun<RecordBlock>(partition, new RecordReader()));
    const bases = [...ends];
    for (const block of blocks) {
      const base = bases[block.partition]!;
      const run = runs[block.partition]!;
      run.open({ ...block, baseOffset: block.baseOffset + base, nextOffset: block.nextOffset + base });
      while (run.next()) rows[block.partition]!.add(run.offset, run.appendedAt, run.touch);
      ends[block.partition] = block.nextOffset + base;
    }
    const empty = { generation: GENERATION, facts: [], deadLetters: [], transitions: [] };
    await store.checkpoint(rows.map((touches, partition) => ({ partition, offset: ends[partition]!, touches, ...empty })));
  }
}

async function fillFacts(store: Store, { accounts, days, deals, seed }: KpisArgs, now: number): Promise<void> {
  let offset = 0;
  let some: StoredFact[] = [];
  const save = async (): Promise<void> => {
    const rest = { touches: store.touchRows(FACTS_PARTITION), deadLetters: [], transitions: [], generation: GENERATION };
    await store.checkpoint([{ partition: FACTS_PARTITION, offset, facts: some, ...rest }]);
    some = [];
  };
  const add = (fact: Fact): number => some.push({ partition: FACTS_PARTITION, offset: offset++, appendedAt: now, fact });
  for (const fact of revenueFacts({ accounts, days, deals, now, seed })) if (add(fact) === FACTS_AT_ONCE) await save();
  await save();
}
