/** One server-sent event. */
export interface StreamEvent {
  readonly event: string;
  readonly id: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface OpenStream {
  readonly response: Response;
  /** The next event; rejects when the stream has ended, or nothing comes within twenty seconds. */
  next(): Promise<StreamEvent>;
  /** So many of the events that come next. */
  take(count: number): Promise<readonly StreamEvent[]>;
  close(): void;
}

const PATIENCE_MS = 20_000;

/** Opens a stream of server-sent events (WHATWG HTML, section 9.2) as a browser would. */
export async function openStream(url: string, headers: Readonly<Record<string, string>>): Promise<OpenStream> {
  const abort = new AbortController();
  const response = await fetch(url, { headers: { accept: 'text/event-stream', ...headers }, signal: abort.signal });
  const events = eventsOf(response.body!);

  async function next(): Promise<StreamEvent> {
    const timer = setTimeout(() => abort.abort(new Error('no event came')), PATIENCE_MS);
    try {
      const { value, done } = await events.next();
      if (done) throw new Error('the stream has ended');
      return value;
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    response,
    next,
    async take(count) {
      const taken: StreamEvent[] = [];
      while (taken.length < count) taken.push(await next());
      return taken;
    },
    close: () => abort.abort(),
  };
}

async function* eventsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<StreamEvent, undefined> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const event = eventOf(text.slice(0, end));
      text = text.slice(end + 2);
      if (event !== null) yield event;
    }
  }
  return undefined;
}

/** Null for comments, which keep the connection alive. */
function eventOf(block: string): StreamEvent | null {
  const fields = new Map(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()]),
  );
  const data = fields.get('data');
  if (data === undefined) return null;
  return { event: fields.get('event') ?? 'message', id: fields.get('id') ?? null, data: JSON.parse(data) as StreamEvent['data'] };
}
