import type { Touch } from '@touchstone/codec';
import { createRandom } from './random.ts';
import { ZipfRanks } from './zipf.ts';

const HOUR_MS = 3_600_000;
/** Of all touches: seen by somebody else's system and delivered hours or days later. */
const LATE_SHARE = 0.02;
const LATE_HOURS_MAX = 72;

/** What people do with a brand, by share in percent, and how many minutes it takes them at most. */
const SHARES: readonly (readonly [kind: string, share: number, minutesMax: number])[] = [
  ['ad_impression', 44, 0],
  ['web_visit', 22, 12],
  ['email_open', 11, 0],
  ['content_view', 6, 20],
  ['ad_click', 5, 0],
  ['email_click', 4, 0],
  ['product_use', 3, 60],
  ['social', 2, 0],
  ['form_fill', 1, 0],
  ['chat', 0.6, 20],
  ['call', 0.5, 40],
  ['meeting', 0.4, 60],
  ['event_attendance', 0.3, 240],
  ['direct_mail', 0.2, 0],
];
export const KINDS: readonly string[] = SHARES.map(([kind]) => kind);
const CHANNELS = ['paid_search', 'paid_social', 'display', 'email', 'organic', 'direct', 'partner', 'events'];
const SOURCES = ['web', 'crm', 'ads', 'mail'];
const CAMPAIGNS = 40;
const CREATIVES = 200;
const PAGES = 300;
const ON_THE_WEB = new Set(['web_visit', 'content_view', 'form_fill', 'chat']);

export interface World {
  readonly accounts: number;
  readonly contacts: number;
  /** Touches of two seeds have different ids; accounts and contacts are the same. */
  readonly seed: number;
}

/**
 * Touches as a mid-sized market gives them: a few accounts get most (Zipf), and an account with more touches has more contacts, with the
 * square root of them. Ids have the length of UUIDs.
 */
export class Traffic {
  readonly #random: () => number;
  readonly #ranks: ZipfRanks;
  readonly #contactsOf: (rank: number) => number;
  readonly #kindAt: readonly number[];
  readonly #prefix: string;
  #made = 0;

  constructor({ accounts, contacts, seed }: World) {
    this.#random = createRandom(seed);
    this.#ranks = new ZipfRanks(accounts);
    // The sum of 1 / sqrt(r) for r up to n is about 2 sqrt(n).
    const most = contacts / (2 * Math.sqrt(accounts));
    this.#contactsOf = (rank) => Math.max(1, Math.round(most / Math.sqrt(rank + 1)));
    this.#kindAt = Array.from({ length: 1000 }, (_, at) => kindAt(at / 10));
    this.#prefix = `${seed.toString(16).padStart(8, '0')}-bec0-7000-8000-`;
  }

  /**
   * The next touch. `now` is when it arrives, epoch ms; it occurred then, seconds before or, now and then, much earlier.
   * @param rank of its account; by default one by its share
   */
  next(now: number, rank: number = this.#ranks.at(this.#random())): Touch {
    const random = this.#random;
    const contact = Math.floor(random() * this.#contactsOf(rank));
    const [kind, , minutesMax] = SHARES[this.#kindAt[Math.floor(random() * 1000)]!]!;
    const isLate = random() < LATE_SHARE;
    const campaign = Math.floor(random() * CAMPAIGNS);
    return {
      id: this.#prefix + (++this.#made).toString(16).padStart(12, '0'),
      accountId: accountIdOf(rank),
      contactId: `person-${rank}-${contact}`,
      kind,
      occurredAt: now - Math.floor(random() * (isLate ? LATE_HOURS_MAX * HOUR_MS : 20_000)),
      minutes: minutesMax === 0 ? 0 : Math.ceil(random() * minutesMax),
      channel: CHANNELS[campaign % CHANNELS.length]!,
      campaignId: `campaign-${campaign}`,
      creativeId: `creative-${Math.floor(random() * CREATIVES)}`,
      url: ON_THE_WEB.has(kind) ? `https://www.example.com/solutions/page-${Math.floor(random() * PAGES)}?utm_campaign=${campaign}` : null,
      source: SOURCES[campaign % SOURCES.length]!,
      properties: {},
    };
  }
}

export function accountIdOf(rank: number): string {
  return `account-${rank.toString().padStart(5, '0')}`;
}

function kindAt(percent: number): number {
  let left = percent;
  const found = SHARES.findIndex(([, share]) => (left -= share) < 0);
  return Math.max(0, found);
}
