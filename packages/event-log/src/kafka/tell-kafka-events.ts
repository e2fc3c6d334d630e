import type { KafkaLogEvent } from './kafka-events.ts';

/** Where lines go: a logger as services have it. */
export interface Teller {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
}

/** One line for each event worth one. Appends go without: their times are metrics. */
export function tellKafkaEvents(teller: Teller): (event: KafkaLogEvent) => void {
  return function tell(event) {
    switch (event.type) {
      case 'waiting':
        teller.warn({ err: event.cause }, 'no broker of the log can be used yet; it is tried again');
        break;
      case 'topic_created':
        teller.info({ topic: event.topic, partitions: event.partitions }, 'a topic of the log was made');
        break;
      case 'append_retried':
        teller.warn({ broker: event.broker, err: event.cause }, 'records could not be appended yet; the same ones are sent again');
        break;
      case 'append_failed':
        teller.warn(
          { topic: event.topic, partition: event.partition, err: event.cause },
          'records could not be appended; whoever sent them is told',
        );
        break;
      case 'fetch_retried':
        teller.warn(
          { topic: event.topic, broker: event.broker, err: event.cause },
          'nothing could be read from a broker; it is tried again',
        );
        break;
      case 'assigned':
      case 'revoked':
        teller.debug({ topic: event.topic, group: event.group, partition: event.partition }, `a partition is ${event.type}`);
        break;
      case 'membership':
        teller.info({ topic: event.topic, group: event.group, event: event.event }, 'membership of the group');
        break;
      case 'appended':
        break;
    }
  };
}
