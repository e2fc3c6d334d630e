import { DAY_BANDS, HOUR_BANDS, type Bands } from './bands.ts';
import type { Cells } from './columns/cells.ts';
import type { Kinds } from './kinds.ts';
import type { WindowSpec } from './time-slots.ts';

/** What a window says of an account. `minutes` are minutes; everything else is a count. */
export interface WindowFigures {
  touches: number;
  minutes: number;
  byKind: Record<string, number>;
  /** Distinct contacts with a touch in the window. */
  contacts: number;
  /** Contacts whose first touch ever is in the window. */
  newContacts: number;
}

export interface WindowView extends WindowFigures {
  /** The same of the equally long window before. */
  previous: WindowFigures;
}

export type WindowViews = Record<WindowSpec['name'], WindowView>;

/** Counts by a name that users choose: without a prototype, `constructor` and `__proto__` are names like any other. */
export function counts(): Record<string, number> {
  return Object.create(null) as Record<string, number>;
}

function noFigures(): WindowFigures {
  return { touches: 0, minutes: 0, byKind: counts(), contacts: 0, newContacts: 0 };
}

export function noWindows(): WindowViews {
  const view = (): WindowView => ({ ...noFigures(), previous: noFigures() });
  return { '24h': view(), '7d': view(), '30d': view(), '90d': view() };
}

/** Numbers are gathered here and taken out again by each call: a view makes no garbage but what it returns. */
const BANDS_MAX = 8;
let kindCounts = new Uint32Array(BANDS_MAX * 64);
const kindsSeen: number[] = [];

/**
 * Adds an account's cells to its windows. A cell is looked at once: its touches are added to its kind in its band, and only the few kinds there
 * are get a name and a place in the windows. Minutes are added cell by cell, so that their sum is rounded in one order whoever asks.
 */
export function addCells(kinds: Kinds, cells: Cells, head: number, current: number, bands: Bands, views: WindowViews): void {
  const { agesEnd, ofAge, windows } = bands;
  for (let cell = head; cell !== 0; cell = cells.next[cell]!) {
    const age = current - cells.slot[cell]!;
    if (age < 0) continue;
    // Newest first: all that follow are older still.
    if (age >= agesEnd) break;
    const band = ofAge[age]!;
    const kind = cells.kind[cell]!;
    const at = kind * BANDS_MAX;
    if (at >= kindCounts.length) kindCounts = moreCounts(at);
    // The place after the bands says whether the kind was seen.
    if (kindCounts[at + BANDS_MAX - 1] === 0) {
      kindCounts[at + BANDS_MAX - 1] = 1;
      kindsSeen.push(kind);
    }
    kindCounts[at + band]! += cells.touches[cell]!;
    const minutes = cells.minutes[cell]!;
    if (minutes === 0) continue;
    for (let i = 0; i < windows.length; i++) {
      const { end, name, previousEnd } = windows[i]!;
      if (band < end) views[name].minutes += minutes;
      else if (band < previousEnd) views[name].previous.minutes += minutes;
    }
  }
  for (const kind of kindsSeen) {
    const at = kind * BANDS_MAX;
    const name = kinds.name(kind);
    for (let i = 0; i < windows.length; i++) {
      const window = windows[i]!;
      const view = views[window.name];
      addKind(view, name, sumOf(at, at + window.end));
      addKind(view.previous, name, sumOf(at + window.end, at + window.previousEnd));
    }
    kindCounts.fill(0, at, at + BANDS_MAX);
  }
  kindsSeen.length = 0;
}

function sumOf(from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += kindCounts[i]!;
  return sum;
}

function addKind(figures: WindowFigures, kind: string, touches: number): void {
  if (touches === 0) return;
  figures.touches += touches;
  figures.byKind[kind] = touches;
}

function moreCounts(at: number): Uint32Array<ArrayBuffer> {
  const more = new Uint32Array(Math.max(kindCounts.length * 2, at + BANDS_MAX));
  more.set(kindCounts);
  return more;
}

/** Contacts by the set of bands in which they had a touch: hours in the low bits, days above. */
const HOUR_SETS = 1 << HOUR_BANDS.count;
const SETS = HOUR_SETS << DAY_BANDS.count;
const bySet = new Uint32Array(SETS);
const newInHours = new Uint32Array(HOUR_BANDS.count);
const newInDays = new Uint32Array(DAY_BANDS.count);

/** Counts a contact by the bands in which it had touches, and by the age of its first one. Sets are bits, ages are negative for none. */
export function countContact(hourSet: number, daySet: number, firstHourAge: number, firstDayAge: number): void {
  bySet[hourSet | (daySet << HOUR_BANDS.count)]!++;
  if (firstHourAge >= 0 && firstHourAge < HOUR_BANDS.agesEnd) newInHours[HOUR_BANDS.ofAge[firstHourAge]!]!++;
  if (firstDayAge >= 0 && firstDayAge < DAY_BANDS.agesEnd) newInDays[DAY_BANDS.ofAge[firstDayAge]!]!++;
}

/** Puts the contacts counted since the last call into the windows. */
export function takeContacts(views: WindowViews): void {
  for (let set = 1; set < SETS; set++) {
    const contacts = bySet[set]!;
    if (contacts === 0) continue;
    addContacts(set & (HOUR_SETS - 1), contacts, HOUR_BANDS, views);
    addContacts(set >>> HOUR_BANDS.count, contacts, DAY_BANDS, views);
  }
  bySet.fill(0);
  addNewContacts(newInHours, HOUR_BANDS, views);
  addNewContacts(newInDays, DAY_BANDS, views);
}

function addContacts(set: number, contacts: number, { windows }: Bands, views: WindowViews): void {
  for (const { end, name, previousEnd } of windows) {
    const inWindow = (1 << end) - 1;
    const inPrevious = ((1 << previousEnd) - 1) ^ inWindow;
    if ((set & inWindow) !== 0) views[name].contacts += contacts;
    if ((set & inPrevious) !== 0) views[name].previous.contacts += contacts;
  }
}

function addNewContacts(byBand: Uint32Array, { windows }: Bands, views: WindowViews): void {
  for (const { end, name, previousEnd } of windows) {
    for (let band = 0; band < end; band++) views[name].newContacts += byBand[band]!;
    for (let band = end; band < previousEnd; band++) views[name].previous.newContacts += byBand[band]!;
  }
  byBand.fill(0);
}
