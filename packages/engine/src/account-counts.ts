import { DAY_BANDS, HOUR_BANDS, type Bands } from './bands.ts';
import type { Cells } from './columns/cells.ts';
import { engagedWithin } from './columns/engaged-days.ts';
import type { Contacts } from './columns/contacts.ts';
import type { Kinds } from './kinds.ts';
import { DAY_MS, HOUR_MS, dayOf, hourOf } from './time-slots.ts';
import { noWindows, type WindowFigures, type WindowViews } from './window-figures.ts';

/** Places of a kind: its touches by band, hours before days. */
const KIND_WIDTH = HOUR_BANDS.count + DAY_BANDS.count;
/** Contacts by the set of bands in which they had a touch: hours in the low bits, days above. */
const HOUR_SETS = 1 << HOUR_BANDS.count;
const SETS = HOUR_SETS << DAY_BANDS.count;
/** Minutes of at most a day a touch that are whole multiples of this add up without rounding, so in any order. */
const MINUTES_EXACT = 1 / 1024;

interface Unit {
  readonly bands: Bands;
  /** Where the unit's bands begin among a kind's places. */
  readonly first: number;
  /** The unit's windows among all: each has a place for its minutes, and one for those of the window before. */
  readonly firstWindow: number;
}

const HOURS: Unit = { bands: HOUR_BANDS, first: 0, firstWindow: 0 };
const DAYS: Unit = { bands: DAY_BANDS, first: HOUR_BANDS.count, firstWindow: HOUR_BANDS.windows.length };
const WINDOWS = HOUR_BANDS.windows.length + DAY_BANDS.windows.length;

/**
 * What an account's cells and contacts come to, as of one UTC hour: each counted once, by bands of age, of which all windows are made. Whatever
 * was added can be taken out again, so counts can follow an account's touches instead of being made anew from all it has.
 */
export class AccountCounts {
  /** Of all that is counted, since the epoch. */
  hour = 0;
  today = 0;
  /** Whether minutes are the same in whatever order they are added up. */
  areMinutesExact = true;
  /** Contacts by the campaign of their first touch: row + 1. */
  readonly campaigns = new Map<number, number>();
  /** Engaged contacts by role. */
  readonly engagedRoles = new Map<number, number>();
  engaged = 0;
  /** By kind: touches by band. Grown for the kinds that there are. */
  #kinds = new Uint32Array(16 * KIND_WIDTH);
  /** By window, and of the window before it. */
  readonly #minutes = new Float64Array(2 * WINDOWS);
  readonly #bySet = new Uint32Array(SETS);
  /** Contacts by the band of their first touch. */
  readonly #newInHours = new Uint32Array(HOUR_BANDS.count);
  readonly #newInDays = new Uint32Array(DAY_BANDS.count);
  #reachFirstDay = 0;
  #firstHourFrom = 0;
  #firstDayFrom = 0;

  /**
   * Begins with nothing.
   * @param asOf epoch ms; counts are the same for all instants of its hour
   */
  begin(asOf: number, reachWindowDays: number): void {
    this.hour = hourOf(asOf);
    this.today = dayOf(asOf);
    this.#reachFirstDay = this.today - reachWindowDays + 1;
    // Before these nothing is new in any window: most first touches end here, without being divided into hours and days.
    this.#firstHourFrom = (this.hour - HOUR_BANDS.agesEnd + 1) * HOUR_MS;
    this.#firstDayFrom = (this.today - DAY_BANDS.agesEnd + 1) * DAY_MS;
    this.clearCells();
    for (const numbers of [this.#bySet, this.#newInHours, this.#newInDays]) numbers.fill(0);
    this.campaigns.clear();
    this.engagedRoles.clear();
    this.engaged = 0;
  }

  /** Adds all cells of an account. Minutes are added cell by cell, so that their sum is rounded in one order whoever asks. */
  addCells(hourCells: Cells, firstHourCell: number, dayCells: Cells, firstDayCell: number): void {
    this.#addChain(HOURS, hourCells, firstHourCell, this.hour);
    this.#addChain(DAYS, dayCells, firstDayCell, this.today);
  }

  clearCells(): void {
    this.#kinds.fill(0);
    this.#minutes.fill(0);
    this.areMinutesExact = true;
  }

  /** Adds a touch to what its cell came to. */
  addToHour(kind: number, hour: number, minutes: number): void {
    this.#addTouches(HOURS, this.hour - hour, kind, 1, minutes);
  }

  addToDay(kind: number, day: number, minutes: number): void {
    this.#addTouches(DAYS, this.today - day, kind, 1, minutes);
  }

  /** Adds what a contact comes to as it is now, or takes out what it came to. */
  addContact(contacts: Contacts, contact: number, by: 1 | -1): void {
    const set =
      contacts.hours.bandsOf(contact, this.hour, HOUR_BANDS) | (contacts.days.bandsOf(contact, this.today, DAY_BANDS) << HOUR_BANDS.count);
    this.#bySet[set]! += by;
    const firstTouchAt = contacts.firstTouchAt[contact]!;
    if (firstTouchAt >= this.#firstDayFrom) this.#addNew(firstTouchAt, by);
    const campaign = contacts.firstCampaign[contact]!;
    if (campaign !== 0) this.campaigns.set(campaign, (this.campaigns.get(campaign) ?? 0) + by);
    if (engagedWithin(contacts.engagedDay, contacts.formerEngagedDay, contact, this.#reachFirstDay, this.today)) {
      this.engaged += by;
      const role = contacts.role[contact]!;
      this.engagedRoles.set(role, (this.engagedRoles.get(role) ?? 0) + by);
    }
  }

  windows(kinds: Pick<Kinds, 'byName' | 'name'>): WindowViews {
    const views = noWindows();
    for (const kind of kinds.byName) if (kind * KIND_WIDTH < this.#kinds.length) this.#nameKind(kind, kinds, views);
    for (const unit of [HOURS, DAYS]) this.#addMinutes(unit, views);
    for (let set = 1; set < SETS; set++) {
      const contacts = this.#bySet[set]!;
      if (contacts === 0) continue;
      addContacts(set & (HOUR_SETS - 1), contacts, HOUR_BANDS, views);
      addContacts(set >>> HOUR_BANDS.count, contacts, DAY_BANDS, views);
    }
    addNewContacts(this.#newInHours, HOUR_BANDS, views);
    addNewContacts(this.#newInDays, DAY_BANDS, views);
    return views;
  }

  #addChain(unit: Unit, cells: Cells, head: number, current: number): void {
    const { agesEnd } = unit.bands;
    for (let cell = head; cell !== 0; cell = cells.next[cell]!) {
      const age = current - cells.slot[cell]!;
      // Newest first: all that follow are older still.
      if (age >= agesEnd) break;
      this.#addTouches(unit, age, cells.kind[cell]!, cells.touches[cell]!, cells.minutes[cell]!);
    }
  }

  #addTouches({ bands, first, firstWindow }: Unit, age: number, kind: number, touches: number, minutes: number): void {
    if (age < 0 || age >= bands.agesEnd) return;
    const band = bands.ofAge[age]!;
    const at = kind * KIND_WIDTH;
    if (at >= this.#kinds.length) this.#kinds = moreCounts(this.#kinds, at);
    this.#kinds[at + first + band]! += touches;
    if (minutes === 0) return;
    if (!Number.isInteger(minutes / MINUTES_EXACT)) this.areMinutesExact = false;
    const { windows } = bands;
    for (let i = 0; i < windows.length; i++) {
      const { end, previousEnd } = windows[i]!;
      if (band < end) this.#minutes[2 * (firstWindow + i)]! += minutes;
      else if (band < previousEnd) this.#minutes[2 * (firstWindow + i) + 1]! += minutes;
    }
  }

  #addNew(firstTouchAt: number, by: 1 | -1): void {
    const dayAge = this.today - dayOf(firstTouchAt);
    if (dayAge >= 0 && dayAge < DAY_BANDS.agesEnd) this.#newInDays[DAY_BANDS.ofAge[dayAge]!]! += by;
    if (firstTouchAt < this.#firstHourFrom) return;
    const hourAge = this.hour - hourOf(firstTouchAt);
    if (hourAge >= 0 && hourAge < HOUR_BANDS.agesEnd) this.#newInHours[HOUR_BANDS.ofAge[hourAge]!]! += by;
  }

  #nameKind(kind: number, kinds: Pick<Kinds, 'name'>, views: WindowViews): void {
    let name: string | null = null;
    for (const { bands, first } of [HOURS, DAYS]) {
      const from = kind * KIND_WIDTH + first;
      for (const window of bands.windows) {
        const touches = this.#touches(from, from + window.end);
        const before = this.#touches(from + window.end, from + window.previousEnd);
        if (touches + before === 0) continue;
        name ??= kinds.name(kind);
        addKind(views[window.name], name, touches);
        addKind(views[window.name].previous, name, before);
      }
    }
  }

  #touches(from: number, to: number): number {
    let sum = 0;
    for (let i = from; i < to; i++) sum += this.#kinds[i]!;
    return sum;
  }

  #addMinutes({ bands, firstWindow }: Unit, views: WindowViews): void {
    for (const [i, { name }] of bands.windows.entries()) {
      views[name].minutes = this.#minutes[2 * (firstWindow + i)]!;
      views[name].previous.minutes = this.#minutes[2 * (firstWindow + i) + 1]!;
    }
  }
}

function addKind(figures: WindowFigures, kind: string, touches: number): void {
  if (touches === 0) return;
  figures.touches += touches;
  figures.byKind[kind] = touches;
}

function moreCounts(counts: Uint32Array, at: number): Uint32Array<ArrayBuffer> {
  const more = new Uint32Array(Math.max(counts.length * 2, at + KIND_WIDTH));
  more.set(counts);
  return more;
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
}
