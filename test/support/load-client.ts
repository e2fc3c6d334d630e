import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from './random.ts';
import { KEY } from './start-server.ts';

const MINUTE_MS = 60_000;
const RETRY_MS = 30;
/** A server that was killed leaves connections that nobody answers on. */
const ANSWER_WITHIN_MS = 10_000;
const SENT_AGAIN = 0.1;
const FACTS = 0.05;

const KINDS = ['web_visit', 'ad_impression', 'ad_click', 'form_fill', 'email_open', 'meeting', 'product_use', 'podcast'];
const ROLES = ['decision_maker', 'champion', 'influencer', 'user', null];

export interface LoadOptions {
  readonly url: string;
  /** Begins the ids of all its touches: clients with different names never send the same one. */
  readonly name: string;
  readonly accountIds: readonly string[];
  /** Touches in a batch. */
  readonly batchMax: number;
  /** Between two batches. */
  readonly pauseMsMax: number;
  readonly random: Random;
}

export interface LoadClient {
  /** Ids of the touches that were answered 202, by account. */
  readonly acked: ReadonlyMap<string, ReadonlySet<string>>;
  /** Touches that had to be sent again after no answer, or 503, and touches sent again though they had been answered. */
  readonly sentAgain: { unanswered: number; answered: number };
  /** Ends once everything sent is answered. Rejects when an answer was neither 202 nor 503. */
  finish(): Promise<void>;
}

interface Batch {
  readonly path: '/v1/touches' | '/v1/contacts';
  readonly items: readonly { readonly id: string; readonly accountId: string }[];
  readonly isNdjson: boolean;
}

/**
 * A client as the documents ask for: what is not answered is sent again, under the same ids, until it is. Sometimes it also sends again what
 * was answered, as a client does that crashed before it noted the answer.
 */
export function startLoad(options: LoadOptions): LoadClient {
  const { random } = options;
  const acked = new Map<string, Set<string>>();
  const sentAgain = { unanswered: 0, answered: 0 };
  let sent = 0;
  let isFinishing = false;
  let answered: Batch | null = null;

  async function run(): Promise<void> {
    while (!isFinishing) {
      if (answered !== null && random.chance(SENT_AGAIN)) {
        sentAgain.answered += answered.items.length;
        await deliver(answered);
      }
      const batch = nextBatch();
      await deliver(batch);
      if (batch.path === '/v1/touches') {
        note(batch);
        answered = batch;
      }
      await sleep(random.whole(0, options.pauseMsMax));
    }
  }

  async function deliver(batch: Batch): Promise<void> {
    if (await post(options.url, batch)) return;
    sentAgain.unanswered += batch.items.length;
    do await sleep(RETRY_MS);
    while (!(await post(options.url, batch)));
  }

  function nextBatch(): Batch {
    if (random.chance(FACTS)) return { path: '/v1/contacts', items: [contactFact(random, options.accountIds)], isNdjson: false };
    const size = random.chance(0.2) ? 1 : random.whole(1, options.batchMax);
    const items = Array.from({ length: size }, () => touch(random, options.accountIds, `${options.name}-${sent++}`));
    return { path: '/v1/touches', items, isNdjson: random.chance(0.5) };
  }

  function note({ items }: Batch): void {
    for (const { id, accountId } of items) {
      let ids = acked.get(accountId);
      if (ids === undefined) acked.set(accountId, (ids = new Set()));
      ids.add(id);
    }
  }

  const running = run();
  // A failure is told by `finish`; until somebody asks it must not end the process.
  running.catch(() => {});
  return {
    acked,
    sentAgain,
    async finish() {
      isFinishing = true;
      await running;
    },
  };
}

/** Late by up to three days, so that windows differ, and some a little ahead. */
function touch(random: Random, accountIds: readonly string[], id: string): Batch['items'][number] {
  const late = random.chance(0.3) ? random.whole(0, 3 * 24 * 60) : 0;
  const fields = {
    contactId: random.chance(0.8) ? `contact-${random.whole(1, 4)}` : null,
    kind: random.pick(KINDS),
    minutes: random.pick([0, 0, 1.5, 7, 45]),
    campaignId: random.pick([null, 'spring', 'autumn']),
    occurredAt: Date.now() - late * MINUTE_MS + random.whole(-MINUTE_MS, MINUTE_MS),
  };
  return { id, accountId: random.pick(accountIds), ...fields };
}

function contactFact(random: Random, accountIds: readonly string[]): Batch['items'][number] {
  const fields = { role: random.pick(ROLES), updatedAt: Date.now() - random.whole(0, 5) };
  return { id: `contact-${random.whole(1, 4)}`, accountId: random.pick(accountIds), ...fields };
}

/** True when it was answered 202; false when it was not answered, or the server said to send it again. */
async function post(url: string, { path, items, isNdjson }: Batch): Promise<boolean> {
  const body = isNdjson ? items.map((item) => `${JSON.stringify(item)}\n`).join('') : JSON.stringify(items);
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': isNdjson ? 'application/x-ndjson' : 'application/json' };
  let status: number;
  let answer: string;
  try {
    const response = await fetch(url + path, { method: 'POST', headers, body, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    ({ status } = response);
    answer = await response.text();
  } catch {
    return false;
  }
  if (status === 503) return false;
  if (status !== 202) throw new Error(`POST ${path}: ${status} ${answer}`);
  const { accepted } = JSON.parse(answer) as { accepted: number };
  if (accepted !== items.length) throw new Error(`POST ${path}: ${accepted} of ${items.length} were accepted: ${answer}`);
  return true;
}
