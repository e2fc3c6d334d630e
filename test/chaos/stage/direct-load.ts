import { setTimeout as sleep } from 'node:timers/promises';
import { TouchWriter, type Touch } from '@touchstone/codec';
import { EVENTS_TOPIC, partitionOfKey } from '@touchstone/event-log';
import type { KafkaClient, OutgoingMessage } from './kafka-client.ts';

const TICK_MS = 50;
const BATCH_MAX = 2000;
const RETRY_MS = 100;
/** So long does no broker stay away: what fails more often will not get better. */
const FAILURES_MAX = 300;

export interface DirectLoadOptions {
  readonly kafka: KafkaClient;
  readonly partitions: number;
  /** It goes on past these until it is told to finish. */
  readonly least: number;
  readonly perSecond: number;
  readonly next: (now: number) => Touch;
}

export interface DirectLoad {
  /** Ids of the touches that the broker has confirmed. */
  readonly acked: ReadonlySet<string>;
  /** Touches that had to be sent again. */
  readonly sentAgain: number;
  /** Resolves when the least number and all sent until now are confirmed. */
  finish(): Promise<void>;
  /** Gives up whatever is not confirmed. */
  stop(): void;
}

/** Touches put on the log at a steady rate, past ingest, as it would: for more of them than HTTP would bear on a small machine. */
export function startDirectLoad(options: DirectLoadOptions): DirectLoad {
  const { kafka, least, next, partitions, perSecond } = options;
  const acked = new Set<string>();
  const writer = new TouchWriter();
  let sentAgain = 0;
  let isFinishing = false;
  let isStopping = false;

  function message(touch: Touch): OutgoingMessage {
    writer.write(touch);
    const key = writer.key();
    return { key: Buffer.from(key), value: Buffer.from(writer.value()), partition: partitionOfKey(key, partitions) };
  }

  async function run(): Promise<void> {
    const producer = await kafka.producer();
    const startedAt = performance.now();
    let made = 0;
    while ((made < least || !isFinishing) && !isStopping) {
      const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond);
      const touches = Array.from({ length: Math.min(due - made, BATCH_MAX) }, () => next(Date.now()));
      made += touches.length;
      if (touches.length > 0) await deliver(producer, touches);
      if (due - made < BATCH_MAX) await sleep(TICK_MS);
    }
  }

  async function deliver(producer: Awaited<ReturnType<KafkaClient['producer']>>, touches: readonly Touch[]): Promise<void> {
    const messages = touches.map(message);
    // Kafka may have taken what it did not confirm: the ids tell the two apart.
    for (let failures = 0; !isStopping; failures++) {
      try {
        await producer.send(EVENTS_TOPIC, messages);
        break;
      } catch (error) {
        if (failures >= FAILURES_MAX) throw error;
      }
      sentAgain += touches.length;
      await sleep(RETRY_MS);
    }
    if (isStopping) return;
    for (const { id } of touches) acked.add(id);
  }

  const running = run();
  // A failure is told by `finish`; until somebody asks it must not end the process.
  running.catch(() => {});
  return {
    acked,
    get sentAgain() {
      return sentAgain;
    },
    async finish() {
      isFinishing = true;
      await running;
    },
    stop() {
      isStopping = true;
    },
  };
}
