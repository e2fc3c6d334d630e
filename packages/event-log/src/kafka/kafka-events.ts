/** What an open Kafka log tells of itself, for logs and metrics. */
export type KafkaLogEvent =
  /** No broker can be used yet; it is tried again. */
  | { readonly type: 'waiting'; readonly cause: unknown }
  | { readonly type: 'topic_created'; readonly topic: string; readonly partitions: number }
  | {
      readonly type: 'appended';
      readonly broker: number;
      readonly batches: number;
      readonly records: number;
      readonly bytes: number;
      readonly durationMs: number;
    }
  /** Some batches could not be appended yet; the same ones are sent again. */
  | { readonly type: 'append_retried'; readonly broker: number; readonly cause: unknown }
  | { readonly type: 'append_failed'; readonly topic: string; readonly partition: number; readonly cause: unknown }
  /** Nothing could be read from a broker; it is tried again. */
  | { readonly type: 'fetch_retried'; readonly topic: string; readonly broker: number; readonly cause: unknown }
  | { readonly type: 'assigned'; readonly topic: string; readonly group: string | null; readonly partition: number }
  | { readonly type: 'revoked'; readonly topic: string; readonly group: string | null; readonly partition: number }
  /** What the membership of a consumer group tells. */
  | { readonly type: 'membership'; readonly topic: string; readonly group: string; readonly event: unknown };
