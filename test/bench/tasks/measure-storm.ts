import { listenForWebhooks, type Manner } from '../../support/webhook-receiver.ts';
import { quantile } from '../figures.ts';
import { assertAccepted, Lane } from '../load/lane.ts';
import { bodyOf, requestOf } from '../workload/requests.ts';

const TOUCHES_PER_REQUEST = 1000;
const WAIT_MS = 60_000;
const POLL_MS = 20;

export interface StormArgs {
  readonly port: number;
  readonly key: string;
  readonly receiverPort: number;
  readonly accounts: number;
  /** Paths whose receivers do not as they should; '/well' is the one that is timed. */
  readonly manners: Readonly<Record<string, Manner>>;
  /** Rule whose alerts are timed: one an account. */
  readonly ruleId: string;
}

/** Milliseconds, unless the name says otherwise. */
export interface StormRun {
  /** From sending the touch to its message being received. */
  readonly received: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly messages: number;
  readonly messagesPerSecond: number;
  /** Requests to receivers that do not answer as they should. */
  readonly askedInVain: number;
}

/** A campaign: one touch of each account, all at once. */
export async function measureStorm({ accounts, key, manners, port, receiverPort, ruleId }: StormArgs): Promise<StormRun> {
  const told = `"ruleId":"${ruleId}"`;
  const waiting = new Set<string>();
  const received: number[] = [];
  let messages = 0;
  let askedInVain = 0;
  let sentAt = 0;
  let lastAt = 0;
  const receiver = await listenForWebhooks(receiverPort, manners, ({ at, body, path }) => {
    if (path !== '/well') {
      if (path in manners) askedInVain++;
      return;
    }
    messages++;
    lastAt = at;
    const accountId = /"accountId":"([^"]*)"/.exec(body)?.[1];
    if (accountId !== undefined && body.includes(told) && waiting.delete(accountId)) received.push(at - sentAt);
  });
  const requests: Buffer[] = [];
  for (let from = 0; from < accounts; from += TOUCHES_PER_REQUEST) {
    const items = Array.from({ length: Math.min(TOUCHES_PER_REQUEST, accounts - from) }, (_, i) => {
      const accountId = `storm-${from + i}`;
      waiting.add(accountId);
      return { accountId, contactId: `${accountId}-ada`, kind: 'meeting', minutes: 60, campaignId: 'storm' };
    });
    requests.push(requestOf(key, 'array', bodyOf('array', items)));
  }
  const lanes = await Promise.all(requests.map(() => Lane.open(port)));
  sentAt = performance.now();
  await Promise.all(requests.map(async (request, i) => assertAccepted(await lanes[i]!.send(request))));
  const deadline = performance.now() + WAIT_MS;
  while (waiting.size > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  for (const lane of lanes) lane.close();
  receiver.close();
  if (waiting.size > 0) throw new Error(`${waiting.size} accounts were never told of`);
  return {
    received: { p50: quantile(received, 0.5), p99: quantile(received, 0.99), max: quantile(received, 1) },
    messages,
    messagesPerSecond: (1000 * messages) / (lastAt - sentAt),
    askedInVain,
  };
}
