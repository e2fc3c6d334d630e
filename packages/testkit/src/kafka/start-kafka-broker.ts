import { findKafka } from './find-kafka.ts';
import type { BrokerOptions, KafkaBroker, OwnBroker } from './kafka-broker.ts';
import { startContainerBroker } from './start-container-broker.ts';
import { startJavaBroker } from './start-java-broker.ts';

/** A broker to use: the one of KAFKA_BROKERS, or one of our own. Null where there is none to be had; `findKafka` says why. */
export async function startKafkaBroker(options: BrokerOptions = {}): Promise<KafkaBroker | null> {
  const found = await findKafka();
  if (found.kind !== 'given') return startOwnBroker(options);
  const { brokers } = found;
  return { kind: 'given', controllable: false, brokers, close: () => Promise.resolve() };
}

/** A broker to stop, kill and start, with no topics but its own; KAFKA_BROKERS is left alone. Null where there is none to be had. */
export async function startOwnBroker(options: BrokerOptions = {}): Promise<OwnBroker | null> {
  const { kind } = await findKafka({ own: true });
  if (kind === 'container') return startContainerBroker(options);
  return kind === 'java' ? startJavaBroker(options) : null;
}
