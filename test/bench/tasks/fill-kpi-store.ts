import { LogRun } from '@touchstone/codec';
import type { Fact } from '@touchstone/engine';
import { RecordReader, type RecordBlock } from '@touchstone/event-log';
import type { Store, StoredFact } from '@touchstone/store';
import { revenueFacts } from '../workload/revenue-facts.ts';
import { makeTouchBlocks, type BlockArgs } from './touch-blocks.ts';

const DAY_MS = 86_400_000;
const GENERATION = 'bench';
const TOUCHES_AT_ONCE = 250_000;
const FACTS_AT_ONCE = 20_000;
/** Facts are of a partition that no touch is of: their offsets are their own. */
const FACTS_PARTITION = 60_000;

export interface KpiWorld extends BlockArgs {
  readonly deals: number;
}

/** Touches in the order in which they would have come, and then what is known of their accounts, as checkpoints store them. */
export async function fillKpiStore(store: Store, world: KpiWorld, now: number): Promise<void> {
  await fillTouches(store, world, now);
  await fillFacts(store, world, now);
}

async function fillTouches(store: Store, args: KpiWorld, now: number): Promise<void> {
  const ends = Array.from({ length: args.partitions }, () => 0);
  for (let made = 0; made < args.touches; made += TOUCHES_AT_ONCE) {
    const touches = Math.min(TOUCHES_AT_ONCE, args.touches - made);
    const days = (args.days * touches) / args.touches;
    const end = now - (args.days * DAY_MS * (args.touches - made - touches)) / args.touches;
    const blocks = makeTouchBlocks({ ...args, touches, days, end: Math.floor(end), seed: args.seed + made });
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

async function fillFacts(store: Store, { accounts, days, deals, seed }: KpiWorld, now: number): Promise<void> {
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
