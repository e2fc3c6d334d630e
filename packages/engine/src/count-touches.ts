import type { Accounts } from './columns/accounts.ts';
import type { Ahead } from './columns/ahead.ts';
import type { CapCounts } from './columns/cap-counts.ts';
import type { Cells } from './columns/cells.ts';
import type { Contacts } from './columns/contacts.ts';
import type { Creatives, CreativeSums } from './columns/creatives.ts';
import { markEngagedDay } from './columns/engaged-days.ts';
import type { Names } from './columns/names.ts';
import { countCreatives } from './count-creatives.ts';
import { powerOfTwo, type Decay } from './decay.ts';
import type { Kinds } from './kinds.ts';
import type { ScoringModel } from './model.ts';
import type { Roles } from './roles.ts';
import { dayOf, hourOf, OLDEST_DAY_BACK, OLDEST_HOUR_BACK } from './time-slots.ts';
import type { TouchBatch } from './touch-batch.ts';
import type { WatchedAccounts } from './watched-accounts.ts';

/**
 * The hot path: brings a batch of touches into the columns. Budget: a microsecond a touch, and no allocation.
 *
 * A touch needs some twenty places that lie far apart in memory, and waiting for them one after another is what it would cost. So a batch goes
 * through stages, each a short loop over one or two columns: the processor then fetches what the next touches need while it waits for the first.
 * Within a stage touches keep the order of the log, and no stage reads what another writes for a later touch, so the columns come out as if the
 * touches had been added one by one.
 */

/** The columns that touches come to under a model: what their worth is added up in, and which of them qualify an account at once. */
export interface SummingColumns {
  readonly model: ScoringModel;
  readonly decay: Decay;
  readonly roles: Roles;
  readonly ahead: Ahead;
  readonly caps: CapCounts;
  readonly accounts: Pick<Accounts, 'sum' | 'nobodySum' | 'ahead' | 'changedAt' | 'actNowAt'>;
  readonly contacts: Pick<Contacts, 'sum' | 'role'>;
  /** Null where none are kept. */
  readonly creatives: CreativeSums | null;
}

/** All columns that touches are counted in. */
export interface CountingColumns extends SummingColumns {
  readonly accounts: Accounts;
  readonly contacts: Contacts;
  readonly creatives: Creatives | null;
  readonly campaigns: Names;
  readonly kinds: Kinds;
  readonly hourCells: Cells;
  readonly dayCells: Cells;
  readonly watched: WatchedAccounts;
}

export function countTouches(columns: CountingColumns, batch: TouchBatch): void {
  weighTouches(columns, batch);
  addTouches(columns, batch, 0, batch.count);
}

/** The stages that change no figure of an account: rows are found, and what each touch is worth. */
export function weighTouches(columns: CountingColumns, batch: TouchBatch): void {
  findAccounts(columns, batch);
  findContacts(columns, batch);
  setSlots(batch);
  // Counts of creatives are no figure of an account: nobody asks for them within a batch.
  if (columns.creatives !== null) countCreatives(columns.creatives, columns.kinds, batch);
  weigh(columns, batch);
}

/** The stages after these, for touches of the batch from one place to before another. */
export function addTouches(columns: CountingColumns, batch: TouchBatch, from: number, to: number): void {
  columns.watched.expectTouches(columns, batch, from, to);
  addWorths(columns, batch, from, to);
  noteActNow(columns, batch, from, to);
  countInCells(columns, batch, from, to);
  markContacts(columns, batch, from, to);
  noteFirstTouches(columns, batch, from, to);
  noteAccounts(columns, batch, from, to);
}

/** Does with touches whose rows and slots are found what depends on the model. */
export function sumUp(columns: SummingColumns, batch: TouchBatch): void {
  weigh(columns, batch);
  addWorths(columns, batch, 0, batch.count);
  noteActNow(columns, batch, 0, batch.count);
}

function findAccounts({ accounts }: Pick<CountingColumns, 'accounts'>, batch: TouchBatch): void {
  const { account, accountEnd, accountStart, bytes, count, hash, place } = batch;
  for (let i = 0; i < count; i++) hash[i] = accounts.names.hash(0, bytes, accountStart[i]!, accountEnd[i]!);
  accounts.names.look(hash, account, place, count);
  for (let i = 0; i < count; i++) {
    const row = account[i]!;
    if (row >= 0 && accounts.names.isAt(place[i]!, bytes, accountStart[i]!, accountEnd[i]!)) continue;
    account[i] = accounts.intern(bytes, accountStart[i]!, accountEnd[i]!);
  }
}

export function findContacts({ accounts, contacts }: Pick<CountingColumns, 'accounts' | 'contacts'>, batch: TouchBatch): void {
  const { account, bytes, contact, contactEnd, contactStart, count, hash, place } = batch;
  for (let i = 0; i < count; i++) {
    hash[i] = contactStart[i]! < 0 ? 0 : contacts.names.hash(account[i]!, bytes, contactStart[i]!, contactEnd[i]!);
  }
  contacts.names.look(hash, contact, place, count);
  for (let i = 0; i < count; i++) {
    if (contactStart[i]! < 0) contact[i] = -1;
    else if (contact[i]! < 0 || !contacts.names.isAt(place[i]!, bytes, contactStart[i]!, contactEnd[i]!)) {
      contact[i] = contacts.of(accounts, account[i]!, bytes, contactStart[i]!, contactEnd[i]!);
    }
  }
}

export function setSlots({ count, day, hour, occurredAt }: TouchBatch): void {
  for (let i = 0; i < count; i++) {
    day[i] = dayOf(occurredAt[i]!);
    hour[i] = hourOf(occurredAt[i]!);
  }
}

/** What each touch is worth under all its rules, caps taken into account and used up. */
function weigh({ caps, model }: SummingColumns, batch: TouchBatch): void {
  const { account, added, contact, count, day, now, rules } = batch;
  for (let i = 0; i < count; i++) {
    const matching = rules[i]!;
    const minutes = batch.minutes[i]!;
    let worth = 0;
    for (let at = 0; at < matching.length; at++) {
      const rule = matching[at]!;
      if (rule.dailyCap > 0) {
        const who = contact[i]! >= 0 ? contact[i]! * 2 + 1 : account[i]! * 2;
        const oldestDay = dayOf(now[i]!) - model.retentionDays - 1;
        if (!caps.take(who, day[i]!, rule.index, rule.dailyCap, oldestDay)) continue;
      }
      worth += rule.points + rule.pointsPerMinute * (minutes < rule.maxMinutes ? minutes : rule.maxMinutes);
    }
    added[i] = worth;
  }
}

function addWorths(columns: SummingColumns, batch: TouchBatch, from: number, to: number): void {
  const { accounts, ahead, contacts, creatives, decay, roles } = columns;
  const { account, added, contact, creative, creativeCell, day, now, occurredAt } = batch;
  for (let i = from; i < to; i++) {
    const worth = added[i]!;
    if (worth === 0) continue;
    const halvings = decay.halvingsDue(now[i]!);
    if (halvings > 0) divideSums(columns, halvings);
    const weighted = worth * decay.weight(occurredAt[i]!);
    const row = account[i]!;
    const person = contact[i]!;
    if (person >= 0) {
      contacts.sum[person]! += weighted;
      accounts.sum[row]! += roles.multiplier(contacts.role[person]!) * weighted;
    } else {
      accounts.nobodySum[row]! += weighted;
      accounts.sum[row]! += weighted;
    }
    if (creatives !== null && creativeCell[i]! >= 0) creatives.sumsOf(day[i]!)[creativeCell[i]!]! += weighted;
    if (occurredAt[i]! > now[i]!) ahead.add(accounts, row, person + 1, creative[i]!, occurredAt[i]!, worth);
  }
}

function noteActNow({ accounts }: SummingColumns, batch: TouchBatch, from: number, to: number): void {
  const { account, actNow, hasActNow, occurredAt } = batch;
  if (!hasActNow) return;
  for (let i = from; i < to; i++) {
    if (actNow[i] === 0) continue;
    const row = account[i]!;
    if (occurredAt[i]! > accounts.actNowAt[row]!) accounts.actNowAt[row] = occurredAt[i]!;
  }
}

function divideSums({ accounts, contacts, creatives }: SummingColumns, halvings: number): void {
  const by = powerOfTwo(-halvings);
  for (const sums of [accounts.sum, accounts.nobodySum, contacts.sum]) for (let row = 0; row < sums.length; row++) sums[row]! *= by;
  creatives?.scale(by);
}

function countInCells({ accounts, dayCells, hourCells }: CountingColumns, batch: TouchBatch, from: number, to: number): void {
  const { account, day, hour, kind, minutes, now } = batch;
  for (let i = from; i < to; i++) {
    const oldest = dayOf(now[i]!) - OLDEST_DAY_BACK;
    if (day[i]! >= oldest) dayCells.add(accounts.dayCell, account[i]!, day[i]!, kind[i]!, minutes[i]!, oldest);
  }
  for (let i = from; i < to; i++) {
    const oldest = hourOf(now[i]!) - OLDEST_HOUR_BACK;
    if (hour[i]! >= oldest) hourCells.add(accounts.hourCell, account[i]!, hour[i]!, kind[i]!, minutes[i]!, oldest);
  }
}

function markContacts({ accounts, contacts, kinds }: CountingColumns, batch: TouchBatch, from: number, to: number): void {
  const { account, contact, day, hour, kind, now } = batch;
  for (let i = from; i < to; i++) {
    if (contact[i]! >= 0 && day[i]! >= dayOf(now[i]!) - OLDEST_DAY_BACK) contacts.days.mark(contact[i]!, day[i]!);
  }
  for (let i = from; i < to; i++) {
    if (contact[i]! >= 0 && hour[i]! >= hourOf(now[i]!) - OLDEST_HOUR_BACK) contacts.hours.mark(contact[i]!, hour[i]!);
  }
  for (let i = from; i < to; i++) {
    if (!kinds.engages(kind[i]!)) continue;
    if (contact[i]! >= 0) markEngagedDay(contacts.engagedDay, contacts.formerEngagedDay, contact[i]!, day[i]!);
    else markEngagedDay(accounts.engagedDay, accounts.formerEngagedDay, account[i]!, day[i]!);
  }
}

function noteFirstTouches({ campaigns, contacts }: CountingColumns, batch: TouchBatch, from: number, to: number): void {
  const { bytes, campaignEnd, campaignStart, contact, occurredAt } = batch;
  for (let i = from; i < to; i++) {
    const person = contact[i]!;
    if (person < 0 || occurredAt[i]! >= contacts.firstTouchAt[person]!) continue;
    contacts.firstTouchAt[person] = occurredAt[i]!;
    const start = campaignStart[i]!;
    contacts.firstCampaign[person] = start < 0 ? 0 : campaigns.intern(0, bytes, start, campaignEnd[i]!) + 1;
  }
}

function noteAccounts({ accounts }: CountingColumns, batch: TouchBatch, from: number, to: number): void {
  const { account, now, occurredAt, offset } = batch;
  for (let i = from; i < to; i++) {
    const row = account[i]!;
    if (occurredAt[i]! > accounts.lastTouchAt[row]!) accounts.lastTouchAt[row] = occurredAt[i]!;
    accounts.change(row, offset[i]!, now[i]!);
  }
}
