import { randomUUID } from 'node:crypto';
import { findKafka, startKafkaBroker } from '@touchstone/testkit';
import { PARTITIONS, type BenchContext } from '../bench-context.ts';
import { figure, type Section } from '../figures.ts';
import { runTask } from '../start-task.ts';
import type { ReadKafkaArgs, ReadKafkaRun } from '../tasks/read-kafka.ts';

const TITLE = 'Ceilings: reading from Kafka alone';

/** What reading the log costs on Kafka, before anything is done with a touch. */
export async function benchKafkaCeilings({ sizes }: BenchContext): Promise<Section> {
  const broker = await startKafkaBroker();
  if (broker === null) {
    const found = await findKafka({ own: true });
    const reason = found.kind === 'none' ? found.reason : 'none could be started';
    return { title: TITLE, text: `Left out, because there is no broker: ${reason}.`, figures: [] };
  }
  try {
    const brokers = broker.brokers.split(',');
    const { accounts, contacts, kafkaTouches: touches, runs } = sizes;
    const topic = `bench-${randomUUID()}`;
    await runTask('fillKafka', { accounts, contacts, seed: 1, brokers, topic, partitions: PARTITIONS, touches });
    const read = (client: ReadKafkaArgs['client']): Promise<readonly ReadKafkaRun[]> =>
      runTask('readKafka', { brokers, topic, partitions: PARTITIONS, touches, runs, client });
    const ours = await read('ours');
    const theirs = await read('kafkajs');
    const rates = (read: readonly ReadKafkaRun[]): number[] => read.map(({ touchesPerSecond }) => touchesPerSecond);
    const costs = (read: readonly ReadKafkaRun[]): number[] => read.map(({ cpuMicrosPerTouch }) => cpuMicrosPerTouch);
    return {
      title: TITLE,
      text:
        `A topic of ${touches.toLocaleString('en-GB')} touches in ${PARTITIONS} partitions, read from its beginning, the broker on the same cores. ` +
        "Nothing is done with a touch: kafkajs' eachBatch hands over records that avsc decodes; our adapter hands over blocks in which touches " +
        'are read in place. From the first record, after the group is made, in one process; its CPU is that of all threads.',
      figures: [
        figure('Kafka, our adapter and reading in place', 'touches/s', rates(ours)),
        figure('Kafka, our adapter and reading in place', 'µs/touch', costs(ours)),
        figure('Kafka, kafkajs and avsc', 'touches/s', rates(theirs)),
        figure('Kafka, kafkajs and avsc', 'µs/touch', costs(theirs)),
      ],
    };
  } finally {
    await broker.close();
  }
}
