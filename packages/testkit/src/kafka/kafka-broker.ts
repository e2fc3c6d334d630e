/** Where brokers come from, in the order in which they are looked for. */
export type KafkaKind = 'given' | 'container' | 'java';

/** One Kafka broker for tests. Data, ports and settings stay the same over `stop` or `kill` and `start`. */
export interface OwnBroker {
  readonly kind: Exclude<KafkaKind, 'given'>;
  readonly controllable: true;
  /** `host:port`, as in KAFKA_BROKERS. */
  readonly brokers: string;
  /** Where to forward to what comes in at `advertisedPort`; null without that option. */
  readonly behindProxy: { readonly host: string; readonly port: number } | null;
  /** Of the broker's process; null while there is none, or when it runs in a container. */
  readonly pid: number | null;
  /** Where the broker keeps its data, to be looked at or changed while it stands; null in a container. */
  readonly dataDirectory: string | null;
  /** Ends it in an orderly way. */
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  /** Resolves when it answers again. */
  start(): Promise<void>;
  /** Ends it and removes all it has kept. May be called again. */
  close(): Promise<void>;
}

/** A broker that somebody else runs: it can be used, not stopped. */
export interface GivenBroker {
  readonly kind: 'given';
  readonly controllable: false;
  readonly brokers: string;
  /** Does nothing. */
  close(): Promise<void>;
}

export type KafkaBroker = OwnBroker | GivenBroker;

export interface BrokerOptions {
  /**
   * Port of a proxy on 127.0.0.1 that clients are to come through. Kafka's clients connect to what the broker advertises, so it gets a second
   * listener (`behindProxy`) that advertises this port. Clients that start at `brokers` go past the proxy.
   */
  readonly advertisedPort?: number;
  /** Settings of the broker that differ from the ones tests use. */
  readonly properties?: Readonly<Record<string, string>>;
}
