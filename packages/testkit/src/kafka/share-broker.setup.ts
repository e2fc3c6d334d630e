import { findKafka } from './find-kafka.ts';
import { MISSING_BROKER, SHARED_BROKERS } from './shared-broker.ts';
import { startKafkaBroker } from './start-kafka-broker.ts';

/** Before and after all broker test files of a run. The processes that run them inherit the environment set here. */
export async function setup(): Promise<() => Promise<void>> {
  const broker = await startKafkaBroker();
  if (broker === null) {
    const found = await findKafka();
    const missing = found.kind === 'none' ? found.reason : 'none could be started';
    if (process.env['CI'] === 'true') throw new Error(`tests on a real Kafka broker must run here, but there is none: ${missing}`);
    process.stderr.write(`Left out: every test on a real Kafka broker (*.broker.test.ts), because there is ${missing}.\n`);
    process.env[MISSING_BROKER] = missing;
    return () => Promise.resolve();
  }
  process.env[SHARED_BROKERS] = broker.brokers;
  return () => broker.close();
}
