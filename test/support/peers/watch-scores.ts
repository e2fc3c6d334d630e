import type { KafkaClient, Message } from '../../chaos/stage/kafka-client.ts';
import type { PeersScore } from './recompute-scores.ts';

/** A reader of the comparison's output, from its beginning on. */
export interface ScoreWatch {
  /** By account. */
  readonly newest: ReadonlyMap<string, PeersScore>;
  /** How often an account's score had fewer touches than the one before. */
  readonly stepsBack: number;
  /** Touches that are in the newest scores. */
  readonly touches: number;
  /** Resolves when all is read that was on the topic at the call. */
  caughtUp(): Promise<void>;
  stop(): Promise<void>;
}

export async function watchScores(kafka: KafkaClient, topic: string): Promise<ScoreWatch> {
  const newest = new Map<string, PeersScore>();
  const read = new Map<number, number>();
  let stepsBack = 0;
  let wake = Promise.withResolvers<void>();

  const stop = await kafka.follow(topic, ({ key, offset, partition, value }: Message) => {
    const score = JSON.parse(value!.toString()) as PeersScore;
    const accountId = key!.toString();
    if (score.n < (newest.get(accountId)?.n ?? 0)) stepsBack++;
    newest.set(accountId, score);
    read.set(partition, offset + 1);
    wake.resolve();
  });

  return {
    newest,
    get stepsBack() {
      return stepsBack;
    },
    get touches() {
      return newest.values().reduce((sum, { n }) => sum + n, 0);
    },
    async caughtUp() {
      const ends = [...(await kafka.ends(topic))];
      while (ends.some(([partition, end]) => (read.get(partition) ?? 0) < end)) {
        wake = Promise.withResolvers<void>();
        await wake.promise;
      }
    },
    stop,
  };
}
