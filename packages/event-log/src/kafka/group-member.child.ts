/**
 * A member of a group in a process of its own, to be stopped and killed: says line by line, as JSON, what happens to it. Whenever it finds that
 * it stood still, it says what it owned at that moment, and how a commit of it went.
 */
import { EventLogError } from '../event-log.ts';
import { startMembership } from './group-membership.ts';

const STOOD_STILL_MS = 500;
const [brokers, group, topic, partitionCount, sessionTimeoutMs] = process.argv.slice(2);
const [host, port] = brokers!.split(':');
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

const membership = await startMembership({
  cluster: { brokers: [{ host: host!, port: Number(port) }], clientId: 'child', ssl: null, sasl: null, connectTimeoutMs: 2000 },
  group: group!,
  topic: topic!,
  partitionCount: Number(partitionCount),
  sessionTimeoutMs: Number(sessionTimeoutMs),
  onAssigned: (assigned) => say({ assigned }),
  onRevoked: (revoked) => say({ revoked }),
  onFailed: (cause) => say({ failed: String(cause) }),
  onEvent: ({ type }) => say({ type }),
});

let lookedAt = performance.now();
setInterval(() => {
  const stoodStillMs = performance.now() - lookedAt;
  lookedAt = performance.now();
  if (stoodStillMs < STOOD_STILL_MS) return;
  const assigned = [...(membership.assigned ?? [])];
  say({ woke: { assigned, owned: assigned.filter((partition) => membership.owns(partition)) } });
  membership.commit(new Map(assigned.map((partition) => [partition, { offset: 7, metadata: 'late' }]))).then(
    () => say({ committed: true }),
    (cause: unknown) => say({ committed: false, code: cause instanceof EventLogError ? cause.code : String(cause) }),
  );
}, 5);
