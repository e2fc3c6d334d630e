import type { TouchRecord } from './log-entry.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

export interface WindowFigures {
  readonly touches: number;
  readonly minutes: number;
  /** Touches by kind; a kind without any is absent. */
  readonly byKind: Readonly<Record<string, number>>;
  readonly contacts: number;
  readonly newContacts: number;
}

export interface WindowView extends WindowFigures {
  readonly previous: WindowFigures;
}

export type WindowName = '24h' | '7d' | '30d' | '90d';

/** From `from` until just before `until`, epoch milliseconds. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

/** The current UTC hour and the 23 before it. */
function spanOf24Hours(asOf: number): Span {
  const hour = Math.floor(asOf / HOUR_MS) * HOUR_MS;
  return { from: hour - 23 * HOUR_MS, until: hour + HOUR_MS };
}

/** Today (UTC) and the `days - 1` days before it. */
export function spanOfDays(asOf: number, days: number): Span {
  const today = Math.floor(asOf / DAY_MS) * DAY_MS;
  return { from: today - (days - 1) * DAY_MS, until: today + DAY_MS };
}

/** The equally long span right before. */
function spanBefore({ from, until }: Span): Span {
  return { from: from - (until - from), until: from };
}

/** A touch dated after the end of the current hour or day is in no span yet, though its points count already. */
export function isIn(span: Span, time: number): boolean {
  return span.from <= time && time < span.until;
}

export function windowsAt(touches: readonly TouchRecord[], asOf: number): Record<WindowName, WindowView> {
  return {
    '24h': windowView(touches, spanOf24Hours(asOf)),
    '7d': windowView(touches, spanOfDays(asOf, 7)),
    '30d': windowView(touches, spanOfDays(asOf, 30)),
    '90d': windowView(touches, spanOfDays(asOf, 90)),
  };
}

function windowView(touches: readonly TouchRecord[], span: Span): WindowView {
  return { ...figuresIn(touches, span), previous: figuresIn(touches, spanBefore(span)) };
}

function figuresIn(touches: readonly TouchRecord[], span: Span): WindowFigures {
  const inside = touches.filter((touch) => isIn(span, touch.occurredAt));
  const byKind = new Map<string, number>();
  for (const { kind } of inside) byKind.set(kind, (byKind.get(kind) ?? 0) + 1);
  let minutes = 0;
  for (const touch of inside) minutes += touch.minutes ?? 0;
  return {
    touches: inside.length,
    minutes,
    byKind: Object.fromEntries(byKind),
    contacts: contactsOf(inside).size,
    newContacts: [...firstTouches(touches).values()].filter((touch) => isIn(span, touch.occurredAt)).length,
  };
}

export function contactsOf(touches: readonly TouchRecord[]): Set<string> {
  const contacts = new Set<string>();
  for (const { contactId } of touches) {
    if (contactId !== undefined && contactId !== null) contacts.add(contactId);
  }
  return contacts;
}

/** Each contact's first touch ever: the one with the smallest occurredAt and, of several, the first on the log. */
export function firstTouches(touches: readonly TouchRecord[]): Map<string, TouchRecord> {
  const firsts = new Map<string, TouchRecord>();
  for (const touch of touches) {
    if (touch.contactId === undefined || touch.contactId === null) continue;
    const first = firsts.get(touch.contactId);
    if (first === undefined || touch.occurredAt < first.occurredAt) firsts.set(touch.contactId, touch);
  }
  return firsts;
}
