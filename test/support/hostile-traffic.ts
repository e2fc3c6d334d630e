import { hostileHistory, type GeneratedEntry, type GeneratedTouch } from '@touchstone/testkit';
import type { Random } from './random.ts';
import type { Server } from './start-server.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** The server's clock goes on between the making of a touch and its receipt: what is dated to the limit must not pass it meanwhile. */
const OLDEST_MS = 400 * DAY_MS - 10 * MINUTE_MS;
const AHEAD_MAX_MS = 5 * MINUTE_MS;
const SENDERS = 4;

/** A request to the server, ready to be sent, and sent again. */
export interface Post {
  readonly path: string;
  readonly contentType: 'application/json' | 'application/x-ndjson';
  readonly body: string;
  readonly items: number;
}

export interface HostileOptions {
  readonly seed: number;
  /** Sets the history's accounts and ids apart from those of others; may be empty. */
  readonly name: string;
  readonly steps: number;
  /** Whether models are published on the way. */
  readonly models: boolean;
  readonly random: Random;
}

type Item = Exclude<GeneratedEntry['record'], { readonly type: 'model' }>;

const ENDPOINTS = {
  account: 'accounts',
  contact: 'contacts',
  lead: 'leads',
  opportunity: 'opportunities',
  spend: 'spend',
  subscription: 'subscriptions',
} as const;

/**
 * A generated history as requests: touches late and ahead, repeated ids, caps, roles and models, in batches of JSON, NDJSON and single
 * objects. The items of a batch come in any order, and some batches come twice.
 */
export function hostilePosts({ seed, name, steps, models, random }: HostileOptions): Post[] {
  const now = Date.now();
  const { entries } = hostileHistory(seed, { steps: { min: steps, max: steps }, asOf: now, models });
  const posts: Post[] = [];
  const pending = new Map<string, Item[]>();
  let size = random.whole(1, 60);

  function flush(): void {
    for (const [path, items] of pending) {
      const post = batchOf(
        path,
        random.shuffle(items).map((item) => itemOf(item, name, now, random)),
        random,
      );
      posts.push(post, ...(random.chance(0.2) ? [post] : []));
    }
    pending.clear();
    size = random.whole(1, 60);
  }

  for (const { record } of entries) {
    // Time passes by itself.
    if ('type' in record && record.type === 'tick') continue;
    if ('type' in record && record.type === 'model') {
      flush();
      const model = { ...record.model, version: `${record.model.version}-${name}` };
      posts.push({ path: '/v1/models', contentType: 'application/json', body: JSON.stringify(model), items: 1 });
      continue;
    }
    const path = 'type' in record ? `/v1/${ENDPOINTS[record.type]}` : '/v1/touches';
    const items = pending.get(path) ?? [];
    pending.set(path, [...items, record]);
    if (items.length + 1 >= size) flush();
  }
  flush();
  return posts;
}

/** Sends requests, a few at a time; each item must be accepted. */
export async function sendAll(server: Server, posts: readonly Post[]): Promise<void> {
  const waiting = posts.values();
  async function sendRest(): Promise<void> {
    for (const post of waiting) await send(server, post);
  }
  await Promise.all(Array.from({ length: SENDERS }, sendRest));
}

async function send(server: Server, { path, contentType, body, items }: Post): Promise<void> {
  const response = await server.fetch(path, { method: 'POST', headers: { 'content-type': contentType }, body });
  const answer = await response.text();
  if (response.status !== 202) throw new Error(`POST ${path}: ${response.status} ${answer}`);
  const accepted = path === '/v1/models' ? items : (JSON.parse(answer) as { accepted: number }).accepted;
  if (accepted !== items) throw new Error(`POST ${path}: ${accepted} of ${items} were accepted: ${answer}`);
}

function batchOf(path: string, items: readonly object[], random: Random): Post {
  if (items.length === 1 && random.chance(0.5)) {
    return { path, contentType: 'application/json', body: JSON.stringify(items[0]), items: 1 };
  }
  if (random.chance(0.5)) return { path, contentType: 'application/json', body: JSON.stringify(items), items: items.length };
  const body = items.map((item) => `${JSON.stringify(item)}\n`).join('');
  return { path, contentType: 'application/x-ndjson', body, items: items.length };
}

/** As a client writes it: what is null may be left out, a time may be text or a number. */
function itemOf(record: Item, name: string, now: number, random: Random): object {
  const item = 'type' in record ? factOf(record, name) : touchOf(record, name, now);
  const given = Object.entries(item).filter(([, value]) => value !== null || random.chance(0.5));
  return Object.fromEntries(
    given.map(([field, value]) => {
      const isTime = field === 'occurredAt' || field === 'updatedAt';
      return [field, isTime && random.chance(0.5) ? new Date(value as number).toISOString() : value];
    }),
  );
}

function touchOf(touch: GeneratedTouch, name: string, now: number): object {
  const accountId = touch.accountId === null ? null : `${touch.accountId}${name}`;
  const occurredAt = Math.min(Math.max(touch.occurredAt, now - OLDEST_MS), now + AHEAD_MAX_MS);
  return { ...touch, id: `${name}${touch.id}`, accountId, occurredAt };
}

function factOf(fact: Exclude<Item, GeneratedTouch>, name: string): object {
  const { type, ...fields } = fact;
  if (type === 'account') return { ...fields, id: `${fact.id}${name}` };
  return 'accountId' in fields && fields.accountId !== null ? { ...fields, accountId: `${fields.accountId}${name}` } : fields;
}
