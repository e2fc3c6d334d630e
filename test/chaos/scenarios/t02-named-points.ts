import { setTimeout as sleep } from 'node:timers/promises';
import { DEAD_LETTERS_TOPIC, EVENTS_TOPIC } from '@touchstone/event-log';
import { DIE_AT, DIE_AT_TIME, DYING_POINTS, type DyingPoint } from '../die-at/dying-point.ts';
import type { Scenario } from '../scenario.ts';
import { runOnStage, type Scene } from '../stage/run-on-stage.ts';

const REGISTER = new URL('../die-at/register.ts', import.meta.url).href;
const DIES_WITHIN_MS = 40_000;
const POISON_EVERY_MS = 200;

/** Two aggregators go on while a third dies at each of the steps between which a crash could lose or repeat something. */
export const killAtNamedPoints: Scenario = {
  id: 'T2',
  title: 'aggregators killed at named points',
  run: (options) => {
    const rounds = options.long ? 20 : 2;
    return runOnStage(options, {
      aggregators: 2,
      partitions: 6,
      accounts: 1000,
      touches: options.long ? 200_000 : 20_000,
      perSecond: 1000,
      async hurt(scene) {
        const poison = sendPoison(scene);
        for (let round = 0; round < rounds; round++) {
          const points = scene.random.shuffle(DYING_POINTS);
          // Two at a time: the one's partitions move while the other dies.
          for (let at = 0; at < points.length; at += 2) await Promise.all(points.slice(at, at + 2).map((point) => dieAt(point, scene)));
        }
        await poison.finish();
        await scene.load.finish();
        await scene.stage.settle();
        await compareDeadLetters(scene, poison.sent);
      },
    });
  },
};

async function dieAt(point: DyingPoint, scene: Scene): Promise<void> {
  const { count, fault, random, stage } = scene;
  // Not always the first checkpoint: the second begins with what the first left. Of these two there is only one in a life.
  const time = point === 'mid-hydration' || point === 'after-insert-held-back' ? 1 : random.whole(1, 4);
  const env = { [DIE_AT]: point, [DIE_AT_TIME]: String(time), CHECKPOINT_INTERVAL_MS: '50' };
  const victim = await stage.start('aggregator', { nodeOptions: ['--import', REGISTER], env });
  victim.expectEnd();
  const timer = new AbortController();
  const late = sleep(DIES_WITHIN_MS, null, { signal: timer.signal }).catch(() => null);
  const ending = await Promise.race([victim.ended, late]);
  timer.abort();
  if (ending?.signal === 'SIGKILL') {
    count(point);
    fault();
    if (point === 'after-insert-held-back') await replaceAll(scene);
    return;
  }
  const did = ending === null ? 'did not' : `ended with ${ending.code}`;
  stage.wrong.push(`an aggregator that was to die ${point} ${did}: ${victim.output().slice(-2000)}`);
  await victim.kill();
}

/** Who remembers a partition from a while ago would publish what is not out; whoever takes it up from the store has to know of it. */
async function replaceAll({ aggregators, stage }: Scene): Promise<void> {
  await Promise.all(aggregators.map((one) => one.kill()));
  aggregators.splice(0, aggregators.length, ...(await Promise.all(aggregators.map(() => stage.start('aggregator')))));
}

interface Poison {
  /** How many records nobody can read were put on the log. */
  readonly sent: number;
  finish(): Promise<void>;
}

function sendPoison({ stage }: Scene): Poison {
  let sent = 0;
  let isFinishing = false;
  async function run(): Promise<void> {
    const producer = await stage.kafka.producer();
    while (!isFinishing) {
      const partition = sent % stage.partitions;
      await producer.send(EVENTS_TOPIC, [{ key: Buffer.from('poison'), value: Buffer.from(`no record ${sent}`), partition }]);
      sent++;
      await sleep(POISON_EVERY_MS);
    }
  }
  const running = run();
  running.catch(() => {});
  return {
    get sent() {
      return sent;
    },
    async finish() {
      isFinishing = true;
      await running;
    },
  };
}

/** Each is stored once, and on the topic at least once, under its place on the log. */
async function compareDeadLetters({ figures, stage }: Scene, sent: number): Promise<void> {
  const stored = (await stage.stored.deadLetters()).map(({ partition, offset }) => `${EVENTS_TOPIC}/${partition}/${offset}`);
  const onTopic = await stage.kafka.read(DEAD_LETTERS_TOPIC);
  const keys = new Set(onTopic.map(({ key }) => String(key)));
  figures['dead letters'] = sent;
  figures['of them published again'] = onTopic.length - keys.size;
  if (new Set(stored).size !== sent || stored.length !== sent) {
    stage.wrong.push(`${sent} records can not be read, ${stored.length} dead letters are stored (${new Set(stored).size} places)`);
  }
  const unpublished = stored.filter((key) => !keys.has(key));
  if (unpublished.length > 0)
    stage.wrong.push(`dead letters that were never published: ${unpublished.slice(0, 5).join(', ')} (${unpublished.length})`);
}
