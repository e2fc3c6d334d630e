import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { sharedBroker, startOwnBroker } from '@touchstone/testkit';
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, logLevel, ResourcePatternTypes } from 'kafkajs';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { startMembership } from './group-membership.ts';
import type { GroupMembership, MembershipEvent, MembershipOptions } from './group-membership.ts';

const { brokers, missing } = sharedBroker();
const PARTITIONS = 8;
const ALL = [0, 1, 2, 3, 4, 5, 6, 7];
const TOPIC = `membership-${randomUUID()}`;
const WAIT = { timeout: 60_000, interval: 5 };

/** A member in this process, and all that was told to it. */
interface Member {
  readonly membership: GroupMembership;
  readonly told: (readonly ['assigned' | 'revoked', readonly number[]])[];
  readonly events: MembershipEvent[];
  readonly failures: unknown[];
}

const members: Member[] = [];
const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await Promise.all(members.splice(0).map(({ membership }) => membership.stop()));
});

async function startMember(group: string, options: Partial<MembershipOptions> & { readonly at?: string } = {}): Promise<Member> {
  const { at = brokers, ...rest } = options;
  const [host, port] = at.split(',')[0]!.split(':');
  const told: Member['told'] = [];
  const events: MembershipEvent[] = [];
  const failures: unknown[] = [];
  const membership = await startMembership({
    cluster: { brokers: [{ host: host!, port: Number(port) }], clientId: 'test', ssl: null, sasl: null, connectTimeoutMs: 2000 },
    group,
    topic: TOPIC,
    partitionCount: PARTITIONS,
    sessionTimeoutMs: 3000,
    onAssigned: (partitions) => void told.push(['assigned', partitions]),
    onRevoked: (partitions) => void told.push(['revoked', partitions]),
    onFailed: (cause) => void failures.push(cause),
    onEvent: (event) => void events.push(event),
    ...rest,
  });
  const member = { membership, told, events, failures };
  members.push(member);
  return member;
}

const ownedBy = ({ membership }: Member) => ALL.filter((partition) => membership.owns(partition));

/** Waits until each has a share of its own, as even as can be, and all partitions have an owner. */
async function settled(...group: readonly Member[]): Promise<void> {
  await vi.waitFor(() => {
    const shares = group.map(ownedBy);
    expect(shares.flat().toSorted((x, y) => x - y)).toEqual(ALL);
    const sizes = shares.map(({ length }) => length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  }, WAIT);
}

async function createTopic(at: string, topic: string): Promise<void> {
  const admin = new Kafka({ brokers: [at.split(',')[0]!], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }] });
  await admin.disconnect();
}

async function committedBy(group: string): Promise<ReadonlyMap<number, string>> {
  const admin = new Kafka({ brokers: [brokers.split(',')[0]!], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const [topic] = await admin.fetchOffsets({ groupId: group, topics: [TOPIC] });
  await admin.disconnect();
  const found = topic!.partitions.filter(({ offset }) => offset !== '-1');
  return new Map(found.map(({ partition, offset, metadata }) => [partition, `${offset} ${metadata}`]));
}

const at = (offset: number) => ({ offset, metadata: 'topic-1' });
const withMessage = (message: RegExp) => expect.objectContaining({ message: expect.stringMatching(message) });
const withCode = (code: string) => expect.objectContaining({ code });

describe.skipIf(missing !== null)('membership in a group', () => {
  beforeAll(() => createTopic(brokers, TOPIC));

  it('has all to itself, shares with who comes, and takes over from who leaves, without a word about what stays', async () => {
    const group = randomUUID();
    // Whoever had to wait for a session to run out would wait longer than this test does.
    const patient = { sessionTimeoutMs: 10 * 60_000 };
    const a = await startMember(group, patient);
    expect(a.membership.assigned).toBeNull();
    expect(a.membership.owns(0)).toBe(false);
    await settled(a);
    expect(a.told).toEqual([['assigned', ALL]]);

    const b = await startMember(group, patient);
    await settled(a, b);
    expect(a.told.slice(1)).toEqual([['revoked', [4, 5, 6, 7]]]);
    expect(b.told).toEqual([['assigned', [4, 5, 6, 7]]]);

    const c = await startMember(group, patient);
    await settled(a, b, c);
    expect(a.told.slice(2)).toEqual([['revoked', [3]]]);
    expect(b.told.slice(1)).toEqual([['revoked', [7]]]);
    expect(c.told).toEqual([['assigned', [3, 7]]]);

    await a.membership.stop();
    expect(ownedBy(a)).toEqual([]);
    await settled(b, c);
    expect(b.told.slice(2)).toEqual([['assigned', [0]]]);
    expect(c.told.slice(1)).toEqual([['assigned', [1, 2]]]);
    expect([a, b, c].flatMap(({ failures, events }) => [...failures, ...events.filter(({ type }) => type === 'thrown_out')])).toEqual([]);
  });

  it('settles when several start at once', async () => {
    const group = randomUUID();
    const all = await Promise.all(Array.from({ length: 5 }, () => startMember(group)));
    await settled(...all);
  });

  it('lets no partition have two owners, however members come and go', async () => {
    const group = randomUUID();
    const overlaps: string[] = [];
    const present = new Set<Member>();
    const look = () => {
      for (const partition of ALL) {
        const owners = members.filter(({ membership }) => membership.owns(partition)).length;
        if (owners > 1) overlaps.push(`${partition} has ${owners} owners`);
      }
    };
    const start = async () => {
      present.add(await startMember(group, { onAssigned: look, onRevoked: look, onEvent: look }));
    };
    const leave = async (member: Member) => {
      present.delete(member);
      await member.membership.stop();
    };
    const watch = setInterval(look, 1);
    try {
      for (let i = 0; i < 30; i++) {
        const someone = [...present][Math.floor(Math.random() * present.size)];
        await (present.size < 2 || (present.size < 6 && Math.random() < 0.5) ? start() : leave(someone!));
        // Sometimes in the middle of the rebalance before, sometimes after it.
        await sleep(Math.random() * 700);
      }
      await settled(...present);
    } finally {
      clearInterval(watch);
    }
    expect(overlaps).toEqual([]);
  });

  it('commits what it owns, forward only, with what is to be kept beside', async () => {
    const group = randomUUID();
    const a = await startMember(group);
    await expect(a.membership.commit(new Map([[0, at(1)]]))).rejects.toEqual(withCode('not_owner'));
    await settled(a);
    await a.membership.commit(
      new Map([
        [0, at(5)],
        [3, at(2 ** 40)],
      ]),
    );
    expect(await committedBy(group)).toEqual(
      new Map([
        [0, '5 topic-1'],
        [3, `${2 ** 40} topic-1`],
      ]),
    );
    await expect(
      a.membership.commit(
        new Map([
          [1, at(1)],
          [0, at(4)],
        ]),
      ),
    ).rejects.toThrow(RangeError);
    await expect(
      a.membership.commit(
        new Map([
          [1, at(1)],
          [8, at(4)],
        ]),
      ),
    ).rejects.toEqual(withCode('not_owner'));
    expect((await committedBy(group)).has(1)).toBe(false);

    const racing = [6, 9, 7].map((offset) => a.membership.commit(new Map([[0, at(offset)]])));
    expect((await Promise.allSettled(racing)).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect((await committedBy(group)).get(0)).toBe('9 topic-1');

    const b = await startMember(group);
    await settled(a, b);
    const lost = ownedBy(b)[0]!;
    await expect(a.membership.commit(new Map([[lost, at(1)]]))).rejects.toEqual(withCode('not_owner'));
    await b.membership.commit(new Map([[lost, at(3)]]));
    await b.membership.stop();
    await expect(b.membership.commit(new Map([[lost, at(4)]]))).rejects.toEqual(withCode('not_owner'));
  });

  it('loses its partitions while it stands still, knows it at once when it goes on, and joins again', async () => {
    const group = randomUUID();
    const child = startChild(group);
    await vi.waitFor(() => expect(child.lines).toContainEqual({ assigned: ALL }), WAIT);
    const a = await startMember(group);
    await vi.waitFor(() => expect(ownedBy(a)).toEqual([4, 5, 6, 7]), WAIT);

    child.process.kill('SIGSTOP');
    // The rebalance that a newcomer begins waits for the one that stands still. What stays with the others is theirs all the while.
    const interruptions: (readonly number[])[] = [];
    const watch = setInterval(() => ownedBy(a).length < 4 && interruptions.push(ownedBy(a)), 5);
    const b = await startMember(group);
    await settled(a, b);
    clearInterval(watch);
    expect(interruptions).toEqual([]);
    await b.membership.stop();
    await vi.waitFor(() => expect(ownedBy(a)).toEqual(ALL), WAIT);
    await a.membership.commit(new Map(ALL.map((partition) => [partition, at(100)])));
    const before = child.lines.length;
    child.process.kill('SIGCONT');
    await vi.waitFor(() => expect(child.lines.slice(before)).toContainEqual({ committed: false, code: 'not_owner' }), WAIT);
    expect(child.lines.slice(before)).toContainEqual({ woke: { assigned: [0, 1, 2, 3], owned: [] } });
    await vi.waitFor(() => expect(ownedBy(a)).toHaveLength(4), WAIT);
    await vi.waitFor(() => expect(child.lines.slice(before)).toContainEqual({ assigned: expect.anything() }), WAIT);
    expect(child.lines.slice(before)).toContainEqual({ revoked: [0, 1, 2, 3] });
    expect([...(await committedBy(group)).values()]).toEqual(ALL.map(() => '100 topic-1'));
  });

  it('is told that it lost all, even where it gets the same back: others may have had it meanwhile', async () => {
    const group = randomUUID();
    const child = startChild(group);
    await vi.waitFor(() => expect(child.lines).toContainEqual({ assigned: ALL }), WAIT);
    const before = child.lines.length;
    child.process.kill('SIGSTOP');
    const admin = new Kafka({ brokers: [brokers.split(',')[0]!], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await vi.waitFor(async () => expect((await admin.describeGroups([group])).groups[0]!.state).toBe('Empty'), WAIT);
    await admin.disconnect();
    child.process.kill('SIGCONT');
    await vi.waitFor(() => expect(child.lines.slice(before)).toContainEqual({ type: 'joined' }), WAIT);
    await vi.waitFor(() => expect(child.lines.at(-1)).toEqual({ assigned: ALL }), WAIT);
    expect(child.lines.slice(before)).toContainEqual({ revoked: ALL });
  });

  it('takes over from one that was killed', async () => {
    const group = randomUUID();
    const a = await startMember(group);
    await settled(a);
    const child = startChild(group);
    await vi.waitFor(() => expect(ownedBy(a)).toHaveLength(4), WAIT);
    await vi.waitFor(() => expect(child.lines).toContainEqual({ assigned: expect.anything() }), WAIT);
    child.process.kill('SIGKILL');
    await settled(a);
  });

  it.each([
    { what: 'another topic', options: { topic: 'another' } },
    { what: 'another number of partitions', options: { partitionCount: 3 } },
  ])('lets members for $what wait until the others have left', async ({ options }) => {
    const group = randomUUID();
    const a = await startMember(group);
    await settled(a);
    const other = await startMember(group, options);
    const why = expect.objectContaining({ type: 'retrying', cause: withMessage(/members of another kind/) });
    await vi.waitFor(() => expect(other.events).toContainEqual(why), WAIT);
    expect(other.membership.assigned).toBeNull();
    await settled(a);
    await a.membership.stop();
    await vi.waitFor(() => expect(other.membership.owns(0)).toBe(true), WAIT);
  });

  it('ends by itself when the broker can not have what it asks for', async () => {
    const { failures, membership } = await startMember(randomUUID(), { sessionTimeoutMs: 100 });
    await vi.waitFor(() => expect(failures).toEqual([withMessage(/session timeout is outside/)]), WAIT);
    expect(failures).toEqual([withCode('refused')]);
    expect(membership.owns(0)).toBe(false);
  });

  it('stops soon when there is no broker to tell', async () => {
    const { membership, events } = await startMember(randomUUID(), { at: '127.0.0.1:1' });
    await vi.waitFor(() => expect(events.filter(({ type }) => type === 'retrying').length).toBeGreaterThan(1), WAIT);
    await membership.stop();
    expect(membership.assigned).toBeNull();
  });
});

describe.skipIf(missing !== null)('membership in a group, when the broker', () => {
  it('is stopped or killed: goes on with the same partitions when it is back', async () => {
    const broker = (await startOwnBroker())!;
    try {
      await createTopic(broker.brokers, TOPIC);
      const group = randomUUID();
      const [a, b] = [
        await startMember(group, { at: broker.brokers, sessionTimeoutMs: 10_000 }),
        await startMember(group, { at: broker.brokers, sessionTimeoutMs: 10_000 }),
      ];
      await settled(a, b);
      const shares = [ownedBy(a), ownedBy(b)];
      for (const end of [() => broker.stop(), () => broker.kill()]) {
        await end();
        await vi.waitFor(() => expect(ownedBy(a)).toEqual([]), WAIT);
        await expect(a.membership.commit(new Map([[shares[0]![0]!, at(1)]]))).rejects.toEqual(withCode('not_owner'));
        await broker.start();
        await settled(a, b);
        expect([ownedBy(a), ownedBy(b)]).toEqual(shares);
        await vi.waitFor(() => a.membership.commit(new Map([[shares[0]![0]!, at(1)]])), WAIT);
      }
      expect([a, b].flatMap(({ events }) => events.filter(({ type }) => type === 'lost_lease'))).not.toEqual([]);
    } finally {
      await broker.close();
    }
  });

  it('stays away: lets go of everything', async () => {
    const broker = (await startOwnBroker())!;
    try {
      const a = await startMember(randomUUID(), { at: broker.brokers });
      await settled(a);
      await broker.kill();
      await vi.waitFor(() => expect(a.told.at(-1)).toEqual(['revoked', ALL]), WAIT);
      await broker.start();
      await settled(a);
      expect(a.told.at(-1)).toEqual(['assigned', ALL]);
    } finally {
      await broker.close();
    }
  });

  it('does not let us into the group: says so and ends', async () => {
    const broker = (await startOwnBroker({
      properties: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'allow.everyone.if.no.acl.found': 'true',
      },
    }))!;
    try {
      const group = randomUUID();
      const admin = new Kafka({ brokers: [broker.brokers], logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      const a = await startMember(group, { at: broker.brokers });
      await settled(a);
      await admin.createAcls({
        acl: [
          {
            resourceType: AclResourceTypes.GROUP,
            resourceName: group,
            resourcePatternType: ResourcePatternTypes.LITERAL,
            principal: 'User:ANONYMOUS',
            host: '*',
            operation: AclOperationTypes.ALL,
            permissionType: AclPermissionTypes.DENY,
          },
        ],
      });
      await admin.disconnect();
      await vi.waitFor(() => expect(a.failures).toEqual([withCode('refused')]), WAIT);
      expect(a.told.at(-1)).toEqual(['revoked', ALL]);
      const b = await startMember(group, { at: broker.brokers });
      await vi.waitFor(() => expect(b.failures).toEqual([withCode('refused')]), WAIT);
    } finally {
      await broker.close();
    }
  });
});

function startChild(group: string): { readonly process: ChildProcess; readonly lines: object[] } {
  const script = join(import.meta.dirname, 'group-member.child.ts');
  const child = spawn(process.execPath, [script, brokers.split(',')[0]!, group, TOPIC, `${PARTITIONS}`, '3000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines: object[] = [];
  createInterface(child.stdout).on('line', (line) => void lines.push(JSON.parse(line) as object));
  return { process: child, lines };
}
