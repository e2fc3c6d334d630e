import type { AccountPast } from './account-past.ts';
import type { Cell, Contributions } from './contributions.ts';
import { fitToSum } from './exact-sum.ts';

/** By what the parts of an explanation are told apart. */
export const EXPLAIN_VIEWS = ['part', 'contact', 'rule', 'campaign', 'kind', 'channel'] as const;
export type ExplainView = (typeof EXPLAIN_VIEWS)[number];

/** What the daily cap of a rule took: touches that the rule matches and that bring nothing. */
export interface Capped {
  readonly touches: number;
  readonly worth: number;
  readonly points: number;
}

interface Figures {
  /** Touches that a rule matches; one that two rules match is in a part of each. */
  readonly touches: number;
  /** What they are worth, not faded, without a role's multiplier, and without those that a cap took. */
  readonly worth: number;
  readonly points: number;
  readonly capped: Capped;
}

export interface Part extends Figures {
  /** Absent where parts of several contacts are one, as are the others; null for touches of nobody known. */
  readonly contactId?: string | null;
  readonly role?: string | null;
  readonly ruleId?: string;
  readonly kind?: string;
  readonly campaignId?: string | null;
  readonly channel?: string | null;
  /** Of the contact's role; null where several are in it. */
  readonly multiplier: number | null;
  /** The share of the worth that is left, on average; null where nothing is worth anything. */
  readonly decay: number | null;
}

export interface Explanation {
  readonly points: number;
  /** Counted touches. */
  readonly touches: number;
  readonly touchesWithoutRule: number;
  /** Those that bring most first. From left to right, with `rest` and `rounding` after them, their points add up to `points`, to the last bit. */
  readonly parts: readonly Part[];
  /** The parts beyond the limit, together; null when all are listed. */
  readonly rest: (Figures & { readonly parts: number }) | null;
  /** What no part has digits for, to be added last: nothing but where parts cancel each other out. */
  readonly rounding: readonly number[];
}

interface Row {
  readonly cell: Cell;
  readonly key: string;
  /** NaN where there are several. */
  multiplier: number;
  touches: number;
  worth: number;
  faded: number;
  points: number;
  cappedTouches: number;
  cappedWorth: number;
  cappedPoints: number;
}

/**
 * Where the points of an account come from.
 * @param past after its replay, with contributions
 * @param limit most parts that are listed
 */
export function explain(past: AccountPast, view: ExplainView, limit: number): Explanation {
  const contributions = past.contributions!;
  const rows = sumRows(past, contributions, view);
  rows.sort((a, b) => b.points - a.points || b.touches - a.touches || (a.key < b.key ? -1 : 1));
  const listed = rows.slice(0, limit);
  const others = rows.slice(limit);
  const rest = others.length === 0 ? null : figuresOf(others);
  const points = Float64Array.from([...listed.map((row) => row.points), ...(rest === null ? [] : [rest.points])]);
  const whole = past.points;
  const rounding = fitToSum(points, whole);
  return {
    points: whole,
    touches: contributions.touches,
    touchesWithoutRule: contributions.touchesWithoutRule,
    parts: listed.map((row, at) => partOf(past, contributions, view, row, points[at]!)),
    rest: rest && { parts: others.length, ...rest, points: points.at(-1)! },
    rounding,
  };
}

function sumRows(past: AccountPast, contributions: Contributions, view: ExplainView): Row[] {
  const multiplierOf = multipliers(past, contributions);
  const keyOf = keysFor(past, view);
  const rows = new Map<string, Row>();
  for (const cell of contributions.cells) {
    const key = keyOf(cell);
    const multiplier = multiplierOf(cell.contact);
    let row = rows.get(key);
    if (row === undefined) {
      row = { cell, key, multiplier, touches: 0, worth: 0, faded: 0, points: 0, cappedTouches: 0, cappedWorth: 0, cappedPoints: 0 };
      rows.set(key, row);
    }
    if (row.multiplier !== multiplier) row.multiplier = NaN;
    row.touches += cell.touches;
    row.worth += cell.worth;
    row.faded += cell.faded;
    row.points += multiplier * cell.faded;
    row.cappedTouches += cell.cappedTouches;
    row.cappedWorth += cell.cappedWorth;
    row.cappedPoints += multiplier * cell.cappedFaded;
  }
  return [...rows.values()];
}

/** Parts of one key are one. Names are told apart by their places: equal names have one. */
function keysFor({ model }: AccountPast, view: ExplainView): (cell: Cell) => string {
  switch (view) {
    case 'part':
      return ({ campaign, contact, rule }) => `${rule}/${contact}/${campaign}`;
    case 'contact':
      return ({ contact }) => String(contact);
    case 'rule':
      return ({ rule }) => String(rule);
    case 'campaign':
      return ({ campaign }) => String(campaign);
    case 'kind':
      return ({ rule }) => model.rules[rule]!.kind;
    case 'channel':
      return ({ channel }) => String(channel);
  }
}

function multipliers({ ledgers }: AccountPast, { contacts }: Contributions): (contact: number) => number {
  const known: number[] = [];
  return (contact) => (contact < 0 ? 1 : (known[contact] ??= ledgers.roles.multiplier(roleNumber(ledgers, contacts.bytes(contact)))));
}

function roleNumber({ contacts }: AccountPast['ledgers'], contactId: Uint8Array): number {
  return contacts.role[contacts.names.find(0, contactId, 0, contactId.length)]!;
}

function partOf(past: AccountPast, contributions: Contributions, view: ExplainView, row: Row, points: number): Part {
  const { cell, multiplier, worth } = row;
  const { campaigns, channels, contacts } = contributions;
  const { id: ruleId, kind } = past.model.rules[cell.rule]!;
  const isPart = view === 'part';
  return {
    ...((isPart || view === 'contact') && {
      contactId: cell.contact < 0 ? null : contacts.text(cell.contact),
      role: cell.contact < 0 ? null : past.ledgers.roles.name(roleNumber(past.ledgers, contacts.bytes(cell.contact))) || null,
    }),
    ...((isPart || view === 'rule') && { ruleId }),
    ...((isPart || view === 'rule' || view === 'kind') && { kind }),
    ...((isPart || view === 'campaign') && { campaignId: cell.campaign < 0 ? null : campaigns.text(cell.campaign) }),
    ...(view === 'channel' && { channel: cell.channel < 0 ? null : channels.text(cell.channel) }),
    touches: row.touches,
    worth,
    multiplier: Number.isNaN(multiplier) ? null : multiplier,
    decay: worth === 0 ? null : row.faded / worth,
    points,
    capped: cappedOf(row),
  };
}

function cappedOf({ cappedPoints, cappedTouches, cappedWorth }: Row): Capped {
  return { touches: cappedTouches, worth: cappedWorth, points: cappedPoints };
}

function figuresOf(rows: readonly Row[]): Figures {
  const sum = (of: (row: Row) => number): number => rows.reduce((total, row) => total + of(row), 0);
  return {
    touches: sum((row) => row.touches),
    worth: sum((row) => row.worth),
    points: sum((row) => row.points),
    capped: {
      touches: sum((row) => row.cappedTouches),
      worth: sum((row) => row.cappedWorth),
      points: sum((row) => row.cappedPoints),
    },
  };
}
