import { get, type IncomingMessage } from 'node:http';
import { once } from 'node:events';

/** A score as the stream tells it. */
export interface ScoreSeen {
  readonly accountId: string;
  /** Epoch ms of the account's newest touch. */
  readonly lastTouchAt: number;
}

/** Follows GET /v1/stream; `onScore` is called while the bytes are at hand, so that its clock is read at the time of arrival. */
export async function followScores(url: string, key: string, onScore: (score: ScoreSeen) => void): Promise<{ close(): void }> {
  const request = get(`${url}/v1/stream?events=score`, { headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream' } });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`the stream was answered ${response.statusCode}`);
  let rest = '';
  const opened = Promise.withResolvers<void>();
  response.setEncoding('utf8').on('data', (text: string) => {
    opened.resolve();
    const events = (rest + text).split('\n\n');
    rest = events.pop()!;
    for (const event of events) {
      if (!/^event: ?score$/m.test(event)) continue;
      const data = JSON.parse(/^data: ?(.*)$/m.exec(event)![1]!) as { accountId: string; lastTouchAt: string };
      onScore({ accountId: data.accountId, lastTouchAt: Date.parse(data.lastTouchAt) });
    }
  });
  await opened.promise;
  return { close: () => void request.destroy() };
}
