import { createRandom, type Random } from '../random.ts';

/** A touch of the comparison with other engines, as its producers know it. */
export interface PeersTouch {
  readonly id: string;
  /** Place of the account among all: what decides its partition here. */
  readonly account: number;
  readonly accountId: string;
  readonly contactId: string | null;
  readonly kind: string;
  /** Epoch ms. */
  readonly occurredAt: number;
  /** Epoch ms. */
  readonly receivedAt: number;
  readonly minutes: number;
  readonly channel: string | null;
  readonly campaignId: string | null;
  readonly creativeId: string | null;
  readonly url: string | null;
  readonly source: string;
}

const DAY_MS = 86_400_000;
const BEGINNING = Date.parse('2026-01-01T00:00:00Z');
/** Twice the longest window and more, so that touches and people leave it. */
const SPAN_DAYS = 70;
/** How many of a hundred touches are of the kind, and how many quarters of a minute one takes at least and at most. */
const KINDS: readonly (readonly [kind: string, share: number, quartersMin: number, quartersMax: number])[] = [
  ['web_visit', 40, 0, 40],
  ['ad_impression', 25, 0, 0],
  ['ad_click', 12, 0, 3],
  ['email_click', 9, 0, 0],
  ['meeting', 4, 60, 240],
  // Of no weight of their own.
  ['email_open', 6, 0, 0],
  ['call', 4, 4, 120],
];

/** The same for the same seed: in the order of arrival over seventy days, some late, few accounts with most of the touches. */
export function generatePeersTouches({ accounts, seed, touches }: { accounts: number; seed: number; touches: number }): PeersTouch[] {
  const random = createRandom(seed);
  return Array.from({ length: touches }, (_, at) => touchAt(at, BEGINNING + (at / touches) * SPAN_DAYS * DAY_MS, random, accounts));
}

function touchAt(at: number, arrivesAt: number, random: Random, accounts: number): PeersTouch {
  const receivedAt = Math.floor(arrivesAt) + random.whole(0, 2000);
  // Of `accounts` to the power of evenly spread numbers each rank has a share in proportion to one over it.
  const account = Math.floor(accounts ** random()) - 1;
  const [kind, , quartersMin, quartersMax] = kindAt(random() * 100);
  const isOfAd = random.chance(0.3);
  return {
    id: `touch-${at.toString(36)}-${random.whole(0, 2 ** 31).toString(36)}`,
    account,
    accountId: `account-${account}`,
    contactId: random.chance(0.1) ? null : `person-${random.whole(0, 3 + ((account * 7) % 40))}`,
    kind,
    occurredAt: occurredAt(Math.floor(arrivesAt), random),
    receivedAt,
    minutes: random.whole(quartersMin, quartersMax) / 4,
    channel: random.chance(0.9) ? random.pick(['web', 'paid', 'email', 'sales']) : null,
    campaignId: isOfAd ? `campaign-${random.whole(0, 200)}` : null,
    creativeId: isOfAd ? `creative-${random.whole(0, 2000)}` : null,
    url: kind === 'web_visit' ? `https://example.com/p/${random.whole(0, 5000)}` : null,
    source: 'collector',
  };
}

function occurredAt(now: number, random: Random): number {
  const chance = random();
  // Late by days, some by more than a window is long; or at the very beginning of a day.
  if (chance < 0.002) return now - Math.floor(random() * 40 * DAY_MS);
  if (chance < 0.022) return now - Math.floor(random() * 3 * DAY_MS);
  if (chance < 0.03) return Math.floor(now / DAY_MS) * DAY_MS;
  return now;
}

function kindAt(percent: number): (typeof KINDS)[number] {
  let left = percent;
  return KINDS.find(([, share]) => (left -= share) < 0) ?? KINDS[0]!;
}
