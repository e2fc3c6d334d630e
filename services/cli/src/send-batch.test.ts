import { afterEach, describe, expect, it } from 'vitest';
import { createApiClient } from './api-client.ts';
import { sendBatch } from './send-batch.ts';
import { startRecordingServer, TEST_KEY, type RecordingOptions, type RecordingServer } from './testing/recording-server.ts';

let server: RecordingServer | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});

async function send(lines: readonly string[], options: RecordingOptions, patienceMs = 10_000) {
  server = await startRecordingServer(options);
  const waits: string[] = [];
  const client = createApiClient({ url: server.url, key: TEST_KEY });
  const result = await sendBatch(lines, { client, path: '/v1/touches', patienceMs, onWait: (message) => waits.push(message) });
  return { result, waits, items: server.items };
}

describe('sendBatch', () => {
  it('sends the same body again after a 503, when it is told to', async () => {
    const fates = [{ status: 503, retryAfter: '0' }, { status: 503, retryAfter: '0' }, 'taken'] as const;
    const { result, waits, items } = await send(['{"id":"1"}', '{"id":"2"}'], { fateOf: (request) => fates[request]! });
    expect(result).toEqual({ accepted: 2, rejected: [] });
    expect(items).toEqual([{ id: '1' }, { id: '2' }]);
    expect(waits).toHaveLength(2);
    expect(waits[0]).toMatch(/can not take more now \(503\).* in 0\.0 s/);
  });

  it('sends the same body again when the answer is lost', async () => {
    const { result, items } = await send(['{"id":"1"}'], { fateOf: (request) => (request === 0 ? 'answer lost' : 'taken') });
    expect(result.accepted).toBe(1);
    expect(items).toEqual([{ id: '1' }, { id: '1' }]);
  });

  it('gives up when it has waited long enough, with what the server said', async () => {
    const fateOf = () => ({ status: 503, retryAfter: '1' });
    await expect(send(['{"id":"1"}'], { fateOf }, 500)).rejects.toThrow(/has taken nothing.*503: Try again/);
  });

  it('takes a 400 that says why each item was rejected', async () => {
    const { result } = await send(['{"id":"1"}'], { rejectionOf: () => ({ code: 'too_old', message: 'long ago' }) });
    expect(result).toEqual({ accepted: 0, rejected: [{ index: 0, code: 'too_old', message: 'long ago' }] });
  });

  it('stops at any other answer', async () => {
    await expect(send(['{"id":"1"}'], { fateOf: () => ({ status: 413 }) })).rejects.toThrow('POST /v1/touches was answered 413: Try again');
  });

  it('stops when the answer does not account for every item', async () => {
    const answers = { 'POST /v1/touches': { status: 202, body: { accepted: 1, rejected: [] } } };
    await expect(send(['{"id":"1"}', '{"id":"2"}'], { answers })).rejects.toThrow(/1 accepted and 0 rejected, but 2 were sent/);
  });
});
