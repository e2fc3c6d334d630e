import type { Campaign, Company, Person, World } from './make-world.ts';
import type { Random } from './random.ts';

/** A touch as the API takes it. */
export interface MadeTouch {
  readonly id: string;
  readonly accountId: string;
  readonly contactId?: string;
  readonly kind: string;
  readonly occurredAt: number;
  readonly minutes?: number;
  readonly channel?: string;
  readonly campaignId?: string;
  readonly creativeId?: string;
  readonly url?: string;
  readonly source: 'simulate';
}

/** Something worth telling whoever watches. */
export interface TrafficNews {
  readonly company: Company;
  readonly text: string;
}

export interface Traffic {
  /** The next touch, at an instant that never goes back. */
  next(occurredAt: number): MadeTouch;
  /** What happened since the last call. */
  takeNews(): TrafficNews[];
}

export interface TrafficOptions {
  readonly random: Random;
  readonly world: World;
  /** Tells the ids of runs apart; the server would drop those of an earlier run as repeated. */
  readonly run: string;
  /** How long an account stays hot, milliseconds. */
  readonly heatMs: number;
}

interface HotAccount {
  readonly company: Company;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly until: number;
  /** Spread evenly from since to until. */
  readonly touches: number;
  sent: number;
}

type Mix = readonly (readonly [weight: number, kind: string])[];

/** Most accounts are only shown things. */
const COLD: Mix = [
  [800, 'ad_impression'],
  [120, 'email_open'],
  [30, 'web_visit'],
  [25, 'social'],
  [15, 'ad_click'],
  [10, 'email_click'],
];
/** An account that heats up reads, asks and meets. */
const HOT: Mix = [
  [38, 'web_visit'],
  [20, 'content_view'],
  [12, 'ad_impression'],
  [9, 'ad_click'],
  [6, 'email_click'],
  [5, 'form_fill'],
  [4, 'call'],
  [3, 'meeting'],
  [2, 'chat'],
  [1, 'event_attendance'],
];
const MINUTES: Readonly<Record<string, readonly [min: number, max: number]>> = {
  web_visit: [0, 8],
  content_view: [1, 15],
  meeting: [20, 60],
  call: [3, 25],
  chat: [2, 12],
  event_attendance: [30, 120],
};
const GLANCE_MINUTES = [0, 1] as const;
const NEWSWORTHY: Readonly<Record<string, string>> = {
  form_fill: 'filled in a form',
  meeting: 'had a meeting',
  event_attendance: 'came to an event',
};
const PAGES = ['/', '/pricing', '/product', '/customers', '/docs/start', '/security', '/blog/onboarding'];
const GUIDES = ['/guides/buying', '/guides/migration', '/papers/benchmark'];
/** What an account does while it is hot, whatever the rate: enough to climb, not so much that all end at 100. */
const HOT_TOUCHES = [12, 40] as const;
const ANONYMOUS_SHARE = 0.08;
const NEWS_KEPT_MAX = 100;

export function createTraffic({ random, world, run, heatMs }: TrafficOptions): Traffic {
  const hotMax = Math.max(1, Math.round(world.companies.length / 50));
  const everyMs = heatMs / hotMax;
  let hot: HotAccount[] = [];
  let nextHeatAt: number | null = null;
  let count = 0;
  let news: TrafficNews[] = [];

  function next(occurredAt: number): MadeTouch {
    heatUp(occurredAt);
    const due = hot.find(({ touches, sent, since, until }) => sent < (touches * (occurredAt - since)) / (until - since));
    if (due !== undefined) due.sent++;
    // Squaring the number makes a few accounts busier than the rest, as they are.
    const company = due?.company ?? world.companies[Math.floor(random.next() ** 2 * world.companies.length)]!;
    const kind = random.weighted(due === undefined ? COLD : HOT);
    const person = random.chance(ANONYMOUS_SHARE) ? null : random.pick(company.people);
    tellOf(company, person, kind);
    return {
      id: `sim-${run}-${count++}`,
      accountId: company.id,
      ...(person === null ? {} : { contactId: person.id }),
      kind,
      occurredAt,
      ...minutesOf(kind, due !== undefined),
      ...originOf(kind),
      source: 'simulate',
    };
  }

  function heatUp(now: number): void {
    if (hot.some(({ until }) => until <= now)) hot = hot.filter(({ until }) => until > now);
    nextHeatAt ??= now;
    if (now < nextHeatAt || hot.length >= hotMax) return;
    const company = random.pick(world.companies);
    nextHeatAt = now + everyMs * (0.5 + random.next());
    if (hot.some((one) => one.company === company)) return;
    hot.push({ company, since: now, until: now + heatMs * (0.7 + 0.6 * random.next()), touches: random.integer(...HOT_TOUCHES), sent: 0 });
    tell({ company, text: 'is heating up' });
  }

  function tellOf(company: Company, person: Person | null, kind: string): void {
    const deed = NEWSWORTHY[kind];
    if (deed !== undefined) tell({ company, text: person === null ? `someone ${deed}` : `${person.name} (${person.role}) ${deed}` });
  }

  function tell(item: TrafficNews): void {
    news.push(item);
    if (news.length > NEWS_KEPT_MAX) news.shift();
  }

  function minutesOf(kind: string, isHot: boolean): { minutes?: number } {
    const range = kind === 'web_visit' && !isHot ? GLANCE_MINUTES : MINUTES[kind];
    return range === undefined ? {} : { minutes: random.integer(range[0] * 10, range[1] * 10) / 10 };
  }

  function originOf(kind: string): Pick<MadeTouch, 'channel' | 'campaignId' | 'creativeId' | 'url'> {
    switch (kind) {
      case 'ad_impression':
      case 'ad_click':
        return adOf(random.pick(world.campaigns), kind === 'ad_click');
      case 'email_open':
      case 'email_click':
        return campaignOf(world.campaigns.find(({ channel }) => channel === 'email') ?? world.campaigns[0]!);
      case 'web_visit':
        return { channel: 'web', url: random.pick(PAGES) };
      case 'content_view':
        return { channel: 'web', url: random.pick(GUIDES) };
      default:
        return {};
    }
  }

  function adOf(campaign: Campaign, isClick: boolean): Pick<MadeTouch, 'channel' | 'campaignId' | 'creativeId'> {
    const creativeId = isClick ? random.weighted(campaign.creatives) : random.pick(campaign.creatives)[1];
    return { ...campaignOf(campaign), creativeId };
  }

  return {
    next,
    takeNews() {
      const taken = news;
      news = [];
      return taken;
    },
  };
}

function campaignOf({ id, channel }: Campaign): Pick<MadeTouch, 'channel' | 'campaignId'> {
  return { channel, campaignId: id };
}
