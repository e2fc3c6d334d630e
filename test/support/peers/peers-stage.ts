import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KafkaClient, type OutgoingMessage } from '../../chaos/stage/kafka-client.ts';
import { until } from '../settle.ts';
import { startEngine, type PeersEngine } from './start-engine.ts';
import { PEERS_PARTITIONS } from './touch-message.ts';
import { watchScores, type ScoreWatch } from './watch-scores.ts';

/** How far the work had come when a process was killed, in touches. */
export interface Death {
  readonly appended: number;
  readonly committed: number;
  readonly published: number;
}

export interface PeersStageOptions {
  readonly brokers: string;
  /** Engines keep their state below, each in a directory of its own unless it is given another's. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** All that will ever be appended, in this order. */
  readonly messages: readonly OutgoingMessage[];
}

const MESSAGES_A_REQUEST = 10_000;
const WITHIN_MS = 60_000;
/** So many every so often while touches flow. */
const SLICE = 250;
const SLICE_EVERY_MS = 10;
/** Right before a kill: more than can be applied, published, stored and committed until it comes. */
const LAST_SLICE = 2000;

/** Topics of the comparison's job, those who append and read there, and our engine's processes between them. */
export class PeersStage {
  readonly deaths: Death[] = [];
  readonly #options: PeersStageOptions;
  readonly #kafka: KafkaClient;
  readonly #send: (messages: readonly OutgoingMessage[]) => Promise<void>;
  readonly #group: string;
  readonly #touches: string;
  readonly #scores: string;
  readonly #watch: ScoreWatch;
  readonly #engines = new Set<PeersEngine>();
  #appended = 0;
  #directories = 0;

  private constructor(
    options: PeersStageOptions,
    parts: {
      kafka: KafkaClient;
      send: (messages: readonly OutgoingMessage[]) => Promise<void>;
      names: { group: string; touches: string; scores: string };
      watch: ScoreWatch;
    },
  ) {
    this.#options = options;
    this.#kafka = parts.kafka;
    this.#send = parts.send;
    this.#group = parts.names.group;
    this.#touches = parts.names.touches;
    this.#scores = parts.names.scores;
    this.#watch = parts.watch;
  }

  static async open(options: PeersStageOptions): Promise<PeersStage> {
    const group = `peers-${randomUUID()}`;
    const names = { group, touches: `${group}-touches`, scores: `${group}-scores` };
    const kafka = new KafkaClient(options.brokers);
    await kafka.connect();
    const topic = { numPartitions: PEERS_PARTITIONS };
    const compacted = [{ name: 'cleanup.policy', value: 'compact' }];
    await kafka.admin.createTopics({
      // kafkajs gives up at once where the broker does not tell of a new topic yet.
      waitForLeaders: false,
      topics: [
        { ...topic, topic: names.touches },
        { ...topic, topic: names.scores, configEntries: compacted },
      ],
    });
    await Promise.all([kafka.ends(names.touches), kafka.ends(names.scores)]);
    const producer = await kafka.producer();
    const watch = await watchScores(kafka, names.scores);
    return new PeersStage(options, { kafka, send: (messages) => producer.send(names.touches, messages), names, watch });
  }

  get appended(): number {
    return this.#appended;
  }

  get scores(): ScoreWatch {
    return this.#watch;
  }

  /** Appends the next of the messages, by default all that are left; resolves once the broker has them. */
  async append(count = Infinity): Promise<void> {
    const { messages } = this.#options;
    const end = Math.min(messages.length, this.#appended + count);
    while (this.#appended < end) {
      const next = messages.slice(this.#appended, Math.min(end, this.#appended + MESSAGES_A_REQUEST));
      await this.#send(next);
      this.#appended += next.length;
    }
  }

  start(stateDirectory = join(this.#options.directory, `state-${this.#directories++}`)): PeersEngine {
    const engine = startEngine(stateDirectory, {
      BROKERS: this.#options.brokers,
      TOPIC: this.#touches,
      OUTPUT_TOPIC: this.#scores,
      APP_ID: this.#group,
      ...this.#options.env,
    });
    this.#engines.add(engine);
    return engine;
  }

  /** Waits until all that was appended before the call is committed. */
  async settle(): Promise<void> {
    const { appended } = this;
    await this.until(`${appended} touches are committed`, async () => (await this.committed()) >= appended);
  }

  /** Touches below the group's positions. */
  async committed(): Promise<number> {
    const positions = await this.#kafka.committed(this.#group, this.#touches);
    return positions.values().reduce((sum, position) => sum + position, 0);
  }

  /** Waits for that. @throws Error when it takes too long, or an engine has ended by itself */
  async until(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
    await until(Date.now() + WITHIN_MS, what, async () => {
      for (const engine of this.#engines) engine.assertAlive();
      return condition();
    });
  }

  /** Touches flow until the condition holds. */
  async flowUntil(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
    await this.until(what, async () => {
      await this.append(SLICE);
      await sleep(SLICE_EVERY_MS);
      return condition();
    });
  }

  /** Touches flow until some that came with them are committed. */
  async flowUntilCommitted(): Promise<void> {
    const before = this.#appended;
    await this.flowUntil('some of what flows is committed', async () => (await this.committed()) > before);
  }

  /** While touches flow, when some are committed and some are not. */
  async killInTheMidst(engine: PeersEngine): Promise<void> {
    await this.flowUntilCommitted();
    await this.append(LAST_SLICE);
    await this.kill(engine);
  }

  /** kill -9; notes how far the work was then. */
  async kill(engine: PeersEngine): Promise<void> {
    // Of what is still on its way to the broker nobody can say whether it came before the kill.
    const appended = this.#appended;
    this.#engines.delete(engine);
    await engine.kill();
    const committed = await this.committed();
    await this.#watch.caughtUp();
    this.deaths.push({ appended, committed, published: this.#watch.touches });
  }

  /** SIGTERM; resolves to how the engine ended. */
  async stop(engine: PeersEngine): Promise<number | NodeJS.Signals | null> {
    this.#engines.delete(engine);
    return engine.stop();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#engines].map((engine) => engine.kill()));
    await this.#watch.stop();
    await this.#kafka.close();
  }
}
