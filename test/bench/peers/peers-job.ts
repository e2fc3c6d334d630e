import { scoringModelSchema, pointsOf, type LedgerPlace, type ScoringModel } from '@touchstone/engine';
import type { Publication, ScoringJob } from '@touchstone/aggregator';
import { PeersTouchRun } from './touch-run.ts';

const DAY_MS = 86_400_000;
/** One band of ages in days: see the engine's bands. */
const LAST_30_DAYS = { agesEnd: 30, ends: [30], ofAge: new Uint8Array(30) };

/** What a touch of each kind is worth besides its minutes, which are worth a point each. */
const POINTS = { ad_click: 2, web_visit: 1, meeting: 30, email_click: 3, ad_impression: 0.1 };
/** The other kinds that we know are worth their minutes alone. Rules name their kind, so minutes of one that nobody knows would be worth nothing. */
const WITHOUT_WEIGHT = [
  'call',
  'chat',
  'content_view',
  'direct_mail',
  'email_open',
  'event_attendance',
  'form_fill',
  'product_use',
  'social',
];
const WEIGHTS = [...Object.entries(POINTS), ...WITHOUT_WEIGHT.map((kind) => [kind, 0] as const)];

/** The comparison's rules as a scoring model: no caps, no roles, a half-life of 14 days. */
export const peersModel: ScoringModel = scoringModelSchema.parse({
  version: 'peers-1',
  decay: { kind: 'exponential', halfLifeDays: 14 },
  rules: WEIGHTS.map(([kind, points]) => ({ id: kind, kind, points, pointsPerMinute: 1 })),
});

export interface PeersTopics {
  readonly touches: string;
  readonly scores: string;
  readonly group: string;
}

export interface PeersOptions {
  readonly storesTouches: boolean;
  /** As the other engines do. Without, as ours does: nothing goes out before it is news to everybody, that is before the end of the backlog. */
  readonly publishesFirstBacklog: boolean;
}

/** The comparison's job for our pipeline: its topics, its touches, its scores as JSON. */
export function peersJob({ group, scores, touches }: PeersTopics, options: PeersOptions): ScoringJob {
  return {
    eventsTopic: touches,
    scoresTopic: scores,
    group,
    openRun: (partition) => new PeersTouchRun(partition, options.storesTouches),
    publicationOf: (place) => publicationOf(place),
    publishesFirstBacklog: options.publishesFirstBacklog,
  };
}

/** Figures of an account as of its newest touch. */
function publicationOf({ account, ledgers }: LedgerPlace): Publication {
  const { accounts, contacts, dayCells } = ledgers;
  const asOf = accounts.lastTouchAt[account]!;
  const today = Math.floor(asOf / DAY_MS);
  let [n, touches7d, touches30d, minutes30d, reach30d] = [0, 0, 0, 0, 0];
  for (let cell = accounts.dayCell[account]!; cell !== 0; cell = dayCells.next[cell]!) {
    const age = today - dayCells.slot[cell]!;
    const touches = dayCells.touches[cell]!;
    n += touches;
    if (age < 7) touches7d += touches;
    if (age >= 30) continue;
    touches30d += touches;
    minutes30d += dayCells.minutes[cell]!;
  }
  for (let row = accounts.contact[account]!; row !== 0; row = contacts.next[row - 1]!) {
    if (contacts.days.bandsOf(row - 1, today, LAST_30_DAYS) !== 0) reach30d++;
  }
  const points = pointsOf(ledgers, account, asOf);
  // Ids of the comparison need no escapes; a template costs a third of what JSON.stringify does.
  const value =
    `{"accountId":"${accounts.names.text(account)}","points":${points},"asOf":${asOf},"touches7d":${touches7d},` +
    `"touches30d":${touches30d},"minutes30d":${minutes30d},"reach30d":${reach30d},"n":${n}}`;
  return { key: accounts.names.bytes(account), value: Buffer.from(value, 'latin1'), row: null };
}
