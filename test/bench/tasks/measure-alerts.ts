import { quantile } from '../figures.ts';
import { assertAccepted } from '../load/lane.ts';
import { sendByClock } from '../load/open-loop.ts';
import { listenForWebhooks } from '../../support/webhook-receiver.ts';
import { bodyOf, itemOf, requestOf } from '../workload/requests.ts';
import { Traffic, type World } from '../workload/traffic.ts';

/** What was sent last has so long to arrive. */
const LAST_MESSAGES_MS = 30_000;
const POLL_MS = 20;

export interface AlertsArgs extends World {
  readonly port: number;
  readonly key: string;
  /** Where messages arrive. */
  readonly receiverPort: number;
  /** Rule whose alerts are timed. */
  readonly ruleId: string;
  readonly touchesPerSecond: number;
  readonly touchesPerRequest: number;
  readonly connections: number;
  /** One touch in so many takes an account of its own over the threshold. */
  readonly crossingEvery: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  readonly runs: number;
}

/** Milliseconds, unless the name says otherwise. */
export interface AlertsRun {
  /** From sending the touch to its message being received. */
  readonly received: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly answer: { readonly p99: number };
  readonly lateness: { readonly p99: number };
  readonly crossings: number;
  /** All messages, of all rules and accounts. */
  readonly messagesPerSecond: number;
}

/**
 * Sends touches at a steady rate, some of which take an account over a threshold, and takes the time until the webhook that tells of it has
 * arrived. Both ends by the clock of this process.
 */
export async function measureAlerts(args: AlertsArgs): Promise<readonly AlertsRun[]> {
  const { connections, crossingEvery, key, port, runs, seconds, touchesPerRequest, touchesPerSecond, warmUpSeconds } = args;
  const traffic = new Traffic(args);
  const sentAt = new Map<string, number>();
  const told = `"ruleId":"${args.ruleId}"`;
  let received: number[] = [];
  let messages = 0;
  let made = 0;
  const receiver = await listenForWebhooks(args.receiverPort, {}, ({ at, body }) => {
    messages++;
    const accountId = /"accountId":"(crossing-\d+)"/.exec(body)?.[1];
    if (accountId === undefined || !body.includes(told)) return;
    const sent = sentAt.get(accountId);
    // The same message again.
    if (sent === undefined) return;
    sentAt.delete(accountId);
    received.push(at - sent);
  });

  function next(): Buffer {
    const now = Date.now();
    const crossing: string[] = [];
    const items = Array.from({ length: touchesPerRequest }, () => {
      if (++made % crossingEvery !== 0) return itemOf(traffic.next(now));
      const accountId = `crossing-${made}`;
      crossing.push(accountId);
      return { accountId, contactId: `${accountId}-ada`, kind: 'meeting', minutes: 60 };
    });
    const request = requestOf(key, 'array', bodyOf('array', items));
    const sent = performance.now();
    for (const accountId of crossing) sentAt.set(accountId, sent);
    return request;
  }

  const results: AlertsRun[] = [];
  // The first one warms the server up and is not told.
  for (let run = 0; run <= runs; run++) {
    received = [];
    messages = 0;
    const length = run === 0 ? warmUpSeconds : seconds;
    const flow = { perSecond: touchesPerSecond / touchesPerRequest, connections, next, check: assertAccepted };
    const [times] = await sendByClock([flow], { port, warmUpSeconds: 0, seconds: length });
    const deadline = performance.now() + LAST_MESSAGES_MS;
    while (sentAt.size > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    if (sentAt.size > 0) throw new Error(`${sentAt.size} crossings were never told, of ${messages} messages`);
    if (run === 0) continue;
    results.push({
      received: { p50: quantile(received, 0.5), p99: quantile(received, 0.99), max: quantile(received, 1) },
      answer: { p99: times!.p99 },
      lateness: { p99: times!.lateP99 },
      crossings: received.length,
      messagesPerSecond: messages / length,
    });
  }
  receiver.close();
  return results;
}
