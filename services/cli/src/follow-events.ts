import { setTimeout as sleep } from 'node:timers/promises';
import { Unreachable, type ApiClient } from './api-client.ts';

export interface ServerEvent {
  readonly event: string;
  readonly id: string | null;
  readonly data: string;
}

export interface FollowOptions {
  readonly onEvent: (event: ServerEvent) => void;
  /** The stream has ended, or could not be opened; it is opened again after a moment. */
  readonly onPause: (reason: string) => void;
  readonly pauseMs?: number;
}

/**
 * Follows a stream of server-sent events for good: one that breaks is opened again where it broke.
 * @throws CliError when the server refuses it
 */
export async function followEvents(client: ApiClient, path: string, { onEvent, onPause, pauseMs = 1000 }: FollowOptions): Promise<never> {
  let lastEventId: string | null = null;
  for (;;) {
    try {
      for await (const event of eventsIn(await client.stream(path, lastEventId))) {
        lastEventId = event.id ?? lastEventId;
        onEvent(event);
      }
      onPause('the server has ended the stream');
    } catch (error) {
      if (!(error instanceof Unreachable) && !(error instanceof TypeError)) throw error;
      onPause(error.message);
    }
    await sleep(pauseMs);
  }
}

/** As WHATWG HTML, section 9.2, reads them, of a server that ends its lines with a line feed alone. */
export async function* eventsIn(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of bytes) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const event = eventOf(text.slice(0, end));
      text = text.slice(end + 2);
      if (event !== null) yield event;
    }
  }
}

/** Null for comments, which keep the connection alive. */
function eventOf(block: string): ServerEvent | null {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).replace(/^ /, ''));
  }
  const data = fields.get('data');
  return data === undefined ? null : { event: fields.get('event') ?? 'message', id: fields.get('id') ?? null, data };
}
