import { setTimeout as sleep } from 'node:timers/promises';
import { KEY } from './start-server.ts';

const RECONNECT_MS = 30;

export interface StreamedScore {
  readonly accountId: string;
  readonly version: number;
  readonly points: number;
  readonly asOf: string;
  readonly modelVersion: string;
}

export interface StreamFollower {
  /** The newest score of each account: of two, the one with the higher version, then the later asOf. */
  readonly latest: ReadonlyMap<string, StreamedScore>;
  readonly counts: {
    events: number;
    connections: number;
    /** Events that told less than what was known: dropped, as a reader should. */
    older: number;
    /** Times the server said that some of what was missed is no longer kept. */
    gaps: number;
  };
  stop(): Promise<void>;
}

/** A reader of the stream that comes back with the id of the last event it got, however the connection ended. */
export function followStream(url: string): StreamFollower {
  const latest = new Map<string, StreamedScore>();
  const counts = { events: 0, connections: 0, older: 0, gaps: 0 };
  const stopping = new AbortController();
  let lastEventId: string | null = null;

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await connect().catch(() => {});
      await sleep(RECONNECT_MS);
    }
  }

  async function connect(): Promise<void> {
    const headers = {
      authorization: `Bearer ${KEY}`,
      accept: 'text/event-stream',
      ...(lastEventId !== null && { 'last-event-id': lastEventId }),
    };
    const response = await fetch(`${url}/v1/stream?events=score`, { headers, signal: stopping.signal });
    if (response.status !== 200) {
      await response.arrayBuffer();
      return;
    }
    counts.connections++;
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const messages = text.split('\n\n');
      text = messages.pop()!;
      for (const message of messages) take(message);
    }
  }

  function take(message: string): void {
    const fields = new Map<string, string>();
    for (const line of message.split('\n')) {
      const colon = line.indexOf(':');
      if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trimStart());
    }
    if (fields.get('event') === 'gap') counts.gaps++;
    if (fields.get('event') === 'score') keep(JSON.parse(fields.get('data')!) as StreamedScore);
    // Only now: a reader cut off before it has handled an event must get it again.
    lastEventId = fields.get('id') ?? lastEventId;
  }

  function keep(score: StreamedScore): void {
    counts.events++;
    const known = latest.get(score.accountId);
    if (known !== undefined && (score.version < known.version || (score.version === known.version && score.asOf < known.asOf)))
      counts.older++;
    else latest.set(score.accountId, score);
  }

  const running = run();
  return {
    latest,
    counts,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
