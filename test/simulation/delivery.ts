import { EventLogError, RecordBlockBuilder, type RecordBlock } from '@touchstone/event-log';
import type { BrokerPartition } from './broker.ts';
import type { Host } from './host.ts';
import type { LogWorld } from './log-world.ts';

/** One partition on its way to a subscriber, from when it was assigned until it is taken away. */
export interface Delivery {
  readonly tenure: number;
  /** Where the log ended when it began. */
  readonly endAtAssignment: number;
  /** Highest position that is known to be committed by this subscriber. */
  committed: number;
  /** Resolves when no handler of it runs any more and none will. */
  readonly ended: Promise<void>;
  /** Something has changed: there may be more to do, or no more. */
  wake(): void;
}

interface DeliveryOptions {
  readonly partition: BrokerPartition;
  readonly tenure: number;
  /** What must be over before this one begins. */
  readonly former: Promise<void>;
  readonly host: Host;
  readonly world: LogWorld;
  readonly isPaused: () => boolean;
  readonly isCurrent: (self: Delivery) => boolean;
  readonly begin: () => Promise<number> | number;
  readonly handle: (block: RecordBlock) => Promise<void> | void;
  readonly onFailed: (cause: unknown) => void;
}

const builder = new RecordBlockBuilder();
const BLOCKS_A_FETCH = 12;

export function deliver(options: DeliveryOptions): Delivery {
  const { begin, former, handle, host, isCurrent, isPaused, onFailed, partition, tenure, world } = options;
  const { generation } = partition;
  let wakeUp: () => void = () => {};

  async function run(): Promise<void> {
    await former;
    if (!isCurrent(delivery)) return;
    let offset = await begin();
    let isFirst = true;
    while (isCurrent(delivery)) {
      assertInRange(offset);
      if (isPaused() || partition.batchAt(offset) === undefined || world.isBrokerDown()) {
        await change();
        continue;
      }
      const blocks = fetch(offset, isFirst);
      isFirst = false;
      await new Promise<void>((resolve) => host.receive(world.fetchLatencyMs(), resolve));
      for (const block of blocks) {
        if (!isCurrent(delivery)) return;
        if (isPaused()) break;
        world.observer.delivers(partition.index, block, delivery.tenure);
        // As the memory of a block may be filled again, whoever looks at it later reads nonsense.
        const lent = { ...block, bytes: block.bytes.slice() };
        await handle(lent);
        lent.bytes.fill(0xdb);
        offset = block.nextOffset;
      }
    }
  }

  /** Until something happens to the partition, or for a while when the broker is away. */
  function change(): Promise<void> {
    return new Promise((resolve) => {
      const woken = (): void => host.receive(world.fetchLatencyMs(), resolve);
      wakeUp = resolve;
      if (world.isBrokerDown()) host.after(200, resolve);
      else partition.waiting.add(woken);
    });
  }

  function assertInRange(offset: number): void {
    if (partition.generation === generation && Number.isInteger(offset) && partition.start <= offset && offset <= partition.end) return;
    const { end, index, start, topic } = partition;
    throw new EventLogError('offset_out_of_range', `${topic}/${index} holds offsets ${start} to ${end}, not ${offset} of ${generation}`);
  }

  function fetch(from: number, isFirst: boolean): RecordBlock[] {
    const blocks: RecordBlock[] = [];
    let offset = from;
    // After a move a batch comes whole, whatever of it was asked for.
    if (isFirst && from > partition.start && world.repeatsBlocks()) offset = from - 1;
    for (let batch = partition.batchAt(offset); batch !== undefined && blocks.length < BLOCKS_A_FETCH; batch = partition.batchAt(offset)) {
      const { block, records } = batch;
      const first = isFirst || offset <= block.baseOffset ? 0 : offset - block.baseOffset;
      const last = records.length > 1 && world.splitsBlocks() ? first + Math.ceil((records.length - first) / 2) : records.length;
      blocks.push(first === 0 && last === records.length ? block : part(block, records.slice(first, last), block.baseOffset + first));
      offset = blocks.at(-1)!.nextOffset;
    }
    return blocks;
  }

  const delivery: Delivery = {
    tenure,
    endAtAssignment: partition.end,
    committed: 0,
    // Begins later, so that the subscriber holds its subscription before its handlers are called.
    ended: Promise.resolve()
      .then(run)
      .catch((cause: unknown) => {
        if (isCurrent(delivery)) onFailed(cause);
        else world.trace.note('a handler of a former delivery failed', String(cause));
      }),
    wake: () => wakeUp(),
  };
  return delivery;
}

function part(
  whole: RecordBlock,
  records: readonly { readonly key: Uint8Array | null; readonly value: Uint8Array | null }[],
  baseOffset: number,
): RecordBlock {
  builder.reset();
  for (const { key, value } of records) builder.append(key, value);
  return { ...whole, baseOffset, nextOffset: baseOffset + records.length, count: records.length, bytes: builder.bytes().slice() };
}
