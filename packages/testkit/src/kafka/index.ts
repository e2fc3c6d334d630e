export { findKafka } from './find-kafka.ts';
export type { KafkaSource } from './find-kafka.ts';
export type { BrokerOptions, GivenBroker, KafkaBroker, KafkaKind, OwnBroker } from './kafka-broker.ts';
export { sharedBroker } from './shared-broker.ts';
export type { SharedBroker } from './shared-broker.ts';
export { startKafkaBroker, startOwnBroker } from './start-kafka-broker.ts';
