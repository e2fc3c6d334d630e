import type { LogEntry, TouchRecord } from './log-entry.ts';
import { multiplierOf, worthOfTouches } from './points.ts';
import { readLog, type AccountHistory, type ReadOptions } from './read-log.ts';
import { MODEL_DEFAULTS } from './reference-model.ts';

const DAY_MS = 86_400_000;

export interface CreativeQuestion {
  /** UTC days since the epoch, both included. */
  readonly from: number;
  readonly to: number;
  /** Epoch ms. */
  readonly asOf: number;
  /** Takes the creatives of a campaign together. */
  readonly byCampaign?: boolean;
  /** Whose touches are looked at. */
  readonly accounts?: (accountId: string) => boolean;
}

/** What a creative did: counts, minutes and points by definition, of the touches in the days that name it. */
export interface CreativeFigures {
  readonly campaignId: string | null;
  readonly creativeId: string | null;
  readonly impressions: number;
  readonly clicks: number;
  readonly touches: number;
  readonly minutes: number;
  readonly points: number;
  readonly contacts: number;
  readonly clickers: number;
  readonly accountsReached: number;
  readonly accountsClicked: number;
  /** Impressions and clicks of each account that had any. */
  readonly byAccount: readonly { readonly accountId: string; readonly impressions: number; readonly clicks: number }[];
}

interface CountedTouch {
  readonly accountId: string;
  readonly touch: TouchRecord;
  readonly points: number;
}

/** Figures of every creative that one of the accounts had a touch of in the days, in no order. A creative is campaign and creative id together. */
export function creativesOf(entries: readonly LogEntry[], question: CreativeQuestion, options: ReadOptions = {}): CreativeFigures[] {
  const { accounts = () => true, asOf, byCampaign = false, from, to } = question;
  const counted = [...readLog(entries, options).values()]
    .filter(({ accountId }) => accounts(accountId))
    .flatMap((one) => pointsOfTouches(one, asOf));
  const groups = Map.groupBy(
    counted.filter(({ touch }) => {
      const day = Math.floor(touch.occurredAt / DAY_MS);
      const isOfCreative = (touch.campaignId ?? null) !== null || (touch.creativeId ?? null) !== null;
      return isOfCreative && day >= from && day <= to;
    }),
    ({ touch }) => JSON.stringify([touch.campaignId ?? null, byCampaign ? null : (touch.creativeId ?? null)]),
  );
  return [...groups].map(([key, touches]) => {
    const [campaignId, creativeId] = JSON.parse(key) as [string | null, string | null];
    return { campaignId, creativeId, ...figuresOf(touches) };
  });
}

function figuresOf(counted: readonly CountedTouch[]): Omit<CreativeFigures, 'campaignId' | 'creativeId'> {
  const clicks = counted.filter(({ touch }) => touch.kind === 'ad_click');
  const impressions = counted.filter(({ touch }) => touch.kind === 'ad_impression');
  const of = (some: readonly CountedTouch[], accountId: string): number => some.filter((one) => one.accountId === accountId).length;
  return {
    impressions: impressions.length,
    clicks: clicks.length,
    touches: counted.length,
    minutes: counted.reduce((sum, { touch }) => sum + (touch.minutes ?? 0), 0),
    points: counted.reduce((sum, { points }) => sum + points, 0),
    contacts: contactsOf(counted).size,
    clickers: contactsOf(clicks).size,
    accountsReached: accountsOf(counted).size,
    accountsClicked: accountsOf(clicks).size,
    byAccount: [...accountsOf([...impressions, ...clicks])].map((accountId) => ({
      accountId,
      impressions: of(impressions, accountId),
      clicks: of(clicks, accountId),
    })),
  };
}

function accountsOf(counted: readonly CountedTouch[]): Set<string> {
  return new Set(counted.map(({ accountId }) => accountId));
}

/** A contact is one of its account: two accounts may have contacts of one id. */
function contactsOf(counted: readonly CountedTouch[]): Set<string> {
  const named = counted.filter(({ touch }) => (touch.contactId ?? null) !== null);
  return new Set(named.map(({ accountId, touch }) => JSON.stringify([accountId, touch.contactId])));
}

/** What each counted touch of an account adds to its points. */
function pointsOfTouches(history: AccountHistory, asOf: number): CountedTouch[] {
  const halfLifeMs = (history.model.decay?.halfLifeDays ?? MODEL_DEFAULTS.halfLifeDays) * DAY_MS;
  const worths = worthOfTouches(history.touches, history.model.rules);
  return history.touches.map((touch, index) => {
    const ageMs = Math.max(0, asOf - touch.occurredAt);
    const points = multiplierOf(history, touch.contactId ?? null) * worths[index]! * 2 ** (-ageMs / halfLifeMs);
    return { accountId: history.accountId, touch, points };
  });
}
