import { fc } from '@fast-check/vitest';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { BrokerConnection } from './broker-connection.ts';
import { allVersions, answerTo, FakeBroker } from './fake-broker.ts';
import type { FakeRequest } from './fake-broker.ts';
import { FrameCollector } from './frame-collector.ts';
import { findCoordinator } from './protocol/group-offsets.ts';

const API_VERSIONS = 18;
/** For what is answered: however busy the machine is, it is not late. */
const LONG_MS = 10_000;

let broker: FakeBroker | null = null;
const opened: BrokerConnection[] = [];
afterEach(async () => {
  for (const connection of opened.splice(0)) connection.close();
  await broker?.stop();
  broker = null;
});

async function open(answer: (request: FakeRequest) => Buffer | null, timeoutMs = LONG_MS): Promise<BrokerConnection> {
  broker = await FakeBroker.start(answer);
  const address = { host: '127.0.0.1', port: broker.port, clientId: 'test', ssl: null, sasl: null };
  const connection = await BrokerConnection.open({ ...address, connectTimeoutMs: timeoutMs });
  opened.push(connection);
  return connection;
}

/** A broker that introduces itself properly and answers everything else as given. */
const introduced = (answer: (request: FakeRequest) => Buffer | null) => (request: FakeRequest) =>
  request.key === API_VERSIONS ? answerTo(request, allVersions()) : answer(request);
const coordinator = (nodeId: number) => {
  const body = Buffer.alloc(12);
  body.writeInt16BE(-1, 6);
  body.writeInt32BE(nodeId, 8);
  return body;
};
const code = (expected: string) => expect.objectContaining({ name: 'EventLogError', code: expected });

describe('a connection to a broker', () => {
  test('gives every request its own answer, also when they come in another order', async () => {
    const held: FakeRequest[] = [];
    const connection = await open(
      introduced((request) => {
        held.push(request);
        if (held.length < 3) return null;
        return Buffer.concat([2, 0, 1].map((at) => answerTo(held[at]!, coordinator(at))));
      }),
    );
    const answers = await Promise.all(['a', 'b', 'c'].map((group) => connection.request(findCoordinator, group, LONG_MS)));
    expect(answers.map(({ nodeId }) => nodeId)).toEqual([0, 1, 2]);
  });

  test.each([
    { what: 'says nothing', answer: () => null, error: code('io'), timeoutMs: 150 },
    { what: 'hangs up', answer: ({ socket }: FakeRequest) => (socket.destroy(), null), error: code('io') },
    { what: 'sends a length below zero', answer: () => Buffer.from('ffffffff', 'hex'), error: code('io') },
    { what: 'sends a length of two gigabytes', answer: () => Buffer.from('7fffffff', 'hex'), error: code('io') },
    {
      what: 'answers what nobody asked',
      answer: (request: FakeRequest) => answerTo({ ...request, id: 77 }, coordinator(1)),
      error: code('io'),
    },
    {
      what: 'sends half an answer',
      answer: (request: FakeRequest) => answerTo(request, coordinator(1)).subarray(0, 15),
      error: code('io'),
      timeoutMs: 150,
    },
    { what: 'sends too short an answer', answer: (request: FakeRequest) => answerTo(request, Buffer.alloc(3)), error: code('corrupt') },
    { what: 'speaks HTTP', answer: () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), error: code('io') },
  ])('fails, and is of no use any more, when the broker $what', async ({ answer, error, timeoutMs = LONG_MS }) => {
    const connection = await open(introduced(answer));
    await expect(connection.request(findCoordinator, 'g', timeoutMs)).rejects.toEqual(error);
    expect(connection.usable).toBe(false);
    await expect(connection.request(findCoordinator, 'g', LONG_MS)).rejects.toEqual(code('io'));
  });

  test('waits for a slow answer as long as bytes of it come in', async () => {
    const asked = Promise.withResolvers<FakeRequest>();
    const connection = await open(introduced((request) => (asked.resolve(request), null)));
    const arrived = vi.spyOn(FrameCollector.prototype, 'filled');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const answer = connection.request(findCoordinator, 'g', 150);
      const request = await asked.promise;
      for (const [at, byte] of answerTo(request, coordinator(5)).entries()) {
        vi.advanceTimersByTime(100);
        request.socket.write(Uint8Array.of(byte));
        while (connection.usable && arrived.mock.calls.length <= at) await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await answer).toMatchObject({ nodeId: 5 });
    } finally {
      vi.useRealTimers();
      arrived.mockRestore();
    }
  });

  test('takes other requests down with the one that has no answer', async () => {
    const connection = await open(introduced(() => null));
    const late = connection.request(findCoordinator, 'late', LONG_MS);
    const first = connection.request(findCoordinator, 'first', 100);
    await expect(first).rejects.toEqual(code('io'));
    await expect(late).rejects.toEqual(code('io'));
  });

  test('is not made with a broker that does not know what we need', async () => {
    const connection = await open((request) => answerTo(request, Buffer.from('00000000000100120000001e', 'hex')));
    await expect(connection.request(findCoordinator, 'g', LONG_MS)).rejects.toEqual(code('refused'));
  });

  test('is made with, or refused for, a broker that says anything', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 60 }), async (bytes) => {
        try {
          await open(() => Buffer.from(bytes), 50);
        } catch (cause) {
          expect(cause).toMatchObject({ name: 'EventLogError' });
        }
        await broker?.stop();
        broker = null;
      }),
      { numRuns: 20 },
    );
  });

  test('is not made where nobody listens', async () => {
    broker = await FakeBroker.start(() => null);
    const { port } = broker;
    await broker.stop();
    broker = null;
    const address = { host: '127.0.0.1', port, clientId: 'test', ssl: null, sasl: null, connectTimeoutMs: 200 };
    await expect(BrokerConnection.open(address)).rejects.toEqual(code('io'));
  });
});
