/** What the broker of tests is set to: everything that waits waits shortly, and nothing is made that was not asked for. */
export const TEST_PROPERTIES: Readonly<Record<string, string>> = {
  'auto.create.topics.enable': 'false',
  'group.initial.rebalance.delay.ms': '0',
  // Processes that stand still should lose their partitions within the patience of a test.
  'group.min.session.timeout.ms': '1000',
  'offsets.topic.num.partitions': '4',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.num.partitions': '2',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'log.retention.check.interval.ms': '1000',
  'log.initial.task.delay.ms': '1000',
  'log.segment.delete.delay.ms': '1000',
  'log.cleaner.enable': 'true',
  'log.cleaner.backoff.ms': '500',
  'log.cleaner.dedupe.buffer.size': String(16 * 1024 * 1024),
  'num.network.threads': '2',
  'num.io.threads': '4',
  // After a kill the former session has to run out before the broker may register again.
  'broker.session.timeout.ms': '3000',
  'broker.heartbeat.interval.ms': '500',
};

export interface BrokerPorts {
  readonly client: number;
  readonly controller: number;
  /** Null when no proxy stands before the broker. */
  readonly proxied: { readonly port: number; readonly advertisedPort: number } | null;
}

/** The settings of a single KRaft node that is broker and controller. `host` is what clients are told; `bind` what it listens on. */
export function brokerProperties(ports: BrokerPorts, bind: string, host: string): Record<string, string> {
  const { client, controller, proxied } = ports;
  const listeners = [`PLAINTEXT://${bind}:${client}`, `CONTROLLER://127.0.0.1:${controller}`];
  const advertised = [`PLAINTEXT://${host}:${client}`];
  if (proxied !== null) {
    listeners.push(`PROXIED://${bind}:${proxied.port}`);
    advertised.push(`PROXIED://127.0.0.1:${proxied.advertisedPort}`);
  }
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT',
    listeners: listeners.join(','),
    'advertised.listeners': advertised.join(','),
  };
}

export function formatProperties(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
