import { describe, expect, it } from 'vitest';
import { Unreachable, type ApiClient } from './api-client.ts';
import { CliError } from './cli-error.ts';
import { eventsIn, followEvents, type ServerEvent } from './follow-events.ts';

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function read(...texts: readonly string[]): Promise<ServerEvent[]> {
  const events: ServerEvent[] = [];
  for await (const event of eventsIn(chunks(...texts))) events.push(event);
  return events;
}

describe('events', () => {
  const text = 'id: 1\nevent: alert\ndata: {"a":"ü"}\n\n: a comment\n\nevent: gap\ndata: {}\nretry: 5\n\ndata:plain\n\nid: 9\n';
  const events = [
    { event: 'alert', id: '1', data: '{"a":"ü"}' },
    { event: 'gap', id: null, data: '{}' },
    { event: 'message', id: null, data: 'plain' },
  ];

  it('are read from a stream, without comments and without what has no end', async () => {
    expect(await read(text)).toEqual(events);
  });

  it('are the same however the bytes come', async () => {
    const bytes = Buffer.from(text);
    const cut: ServerEvent[] = [];
    async function* single(): AsyncGenerator<Uint8Array> {
      for (const byte of bytes) yield Uint8Array.of(byte);
    }
    for await (const event of eventsIn(single())) cut.push(event);
    expect(cut).toEqual(events);
  });
});

describe('a stream that is followed', () => {
  it('goes on after the last event, however it broke, and ends when the server refuses', async () => {
    const opened: (string | null)[] = [];
    const answers: (() => AsyncIterable<Uint8Array>)[] = [
      () => chunks('id: 1\nevent: hello\ndata: {}\n\n', 'id: 2\ndata: x\n\nda'),
      () => {
        throw new Unreachable('it is not ready');
      },
      async function* broken() {
        yield Buffer.from('event: gap\ndata: {}\n\nid: 3\ndata: y\n\n');
        throw new TypeError('terminated');
      },
      () => {
        throw new CliError('revoked');
      },
    ];
    const client = {
      stream: async (path: string, lastEventId: string | null) => {
        expect(path).toBe('/v1/stream');
        opened.push(lastEventId);
        return answers[opened.length - 1]!();
      },
    } as ApiClient;
    const seen: string[] = [];
    const pauses: string[] = [];
    const following = followEvents(client, '/v1/stream', {
      onEvent: ({ data }) => seen.push(data),
      onPause: (reason) => pauses.push(reason),
      pauseMs: 1,
    });
    await expect(following).rejects.toThrow('revoked');
    expect(opened).toEqual([null, '2', '2', '3']);
    expect(seen).toEqual(['{}', 'x', '{}', 'y']);
    expect(pauses).toEqual(['the server has ended the stream', 'it is not ready', 'terminated']);
  });
});
