import { CELL, CELL_WIDTH } from './columns/creative-cell.ts';
import { cellHash } from './columns/creative-day.ts';
import type { Creatives } from './columns/creatives.ts';
import type { Kinds } from './kinds.ts';
import { dayOf } from './time-slots.ts';
import type { TouchBatch } from './touch-batch.ts';

/** The stages of the hot path (see count-touches.ts) that find and fill the cells of creatives. Touches of neither campaign nor creative cost a comparison. */

/** Counts touches in their creatives' cells; what they are worth comes later, with the other sums. */
export function countCreatives(creatives: Creatives, { click, impression }: Pick<Kinds, 'impression' | 'click'>, batch: TouchBatch): void {
  nameCreatives(creatives, batch);
  const { account, contact, count, creative, creativeCell, day, hash, kind, minutes, now } = batch;
  // Slots first, side by side; a cell that an earlier touch of the batch makes is found afterwards.
  for (let i = 0; i < count; i++) {
    if (creative[i] === 0) {
      creativeCell[i] = -1;
      continue;
    }
    hash[i] = cellHash(creative[i]!, account[i]!, contact[i]! + 1);
    creativeCell[i] = creatives.dayOf(day[i]!)?.look(hash[i]!) ?? -1;
  }
  for (let i = 0; i < count; i++) {
    if (creative[i] === 0) continue;
    const table = creatives.openDay(day[i]!, dayOf(now[i]!));
    let row = creativeCell[i]!;
    if (table === undefined) {
      creativeCell[i] = -1;
      continue;
    }
    if (row < 0 || !table.isAt(row, creative[i]!, account[i]!, contact[i]! + 1)) {
      row = table.intern(hash[i]!, creative[i]!, account[i]!, contact[i]! + 1);
    }
    creativeCell[i] = row;
    // What the touch is worth is added later in the same turn, in which no reader comes.
    if (table.isViewed) table.keep(row);
    const at = row * CELL_WIDTH;
    table.numbers[at + CELL.touches]!++;
    if (kind[i] === impression) table.numbers[at + CELL.impressions]!++;
    else if (kind[i] === click) table.numbers[at + CELL.clicks]!++;
    if (minutes[i] !== 0) table.minutes[row]! += minutes[i]!;
  }
}

/** In steps, as accounts and contacts are found: a name costs some misses of the processor's cache, which it waits for side by side this way. */
function nameCreatives(creatives: Creatives, batch: TouchBatch): void {
  const { bytes, campaign, campaignEnd, campaignStart, count, creative, creativeEnd, creativeStart, hash, place } = batch;
  const { names } = creatives;
  for (let i = 0; i < count; i++) {
    campaign[i] = creatives.campaignNumber(bytes, campaignStart[i]!, campaignEnd[i]!);
    const start = creativeStart[i]!;
    hash[i] = names.hash(campaign[i]!, bytes, start < 0 ? 0 : start, start < 0 ? 0 : creativeEnd[i]!);
  }
  names.look(hash, creative, place, count);
  for (let i = 0; i < count; i++) {
    const start = creativeStart[i]! < 0 ? 0 : creativeStart[i]!;
    const end = creativeStart[i]! < 0 ? 0 : creativeEnd[i]!;
    if (campaign[i] === 0 && creativeStart[i]! < 0) creative[i] = 0;
    else if (creative[i]! >= 0 && names.isAt(place[i]!, bytes, start, end)) creative[i]!++;
    else creative[i] = creatives.intern(campaign[i]!, bytes, start, end);
  }
}
