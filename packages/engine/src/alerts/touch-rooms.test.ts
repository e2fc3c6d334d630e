import { describe, expect, it } from 'vitest';
import { defaultModel } from '../default-model.ts';
import { PartitionLedgers } from '../ledgers.ts';
import { scoringModelSchema } from '../model.ts';
import { compileAlertRules } from './compile-alert-rules.ts';
import type { ComingTouch } from './gauges.ts';
import { NewestSlots } from './newest-slots.ts';
import { TouchRooms } from './touch-rooms.ts';

const model = scoringModelSchema.parse({ ...defaultModel, thresholds: [{ id: 'points', metric: 'points', enter: 100 }] });
const ledgers = new PartitionLedgers(0, model);
const kind = ledgers.kinds.number('form_fill');
const nothing: ComingTouch = { account: 0, contact: -1, kind, occurredAt: 0, minutes: 0, now: 0, worth: 0, isActNow: false };

function roomsOf(room: number): TouchRooms {
  const rooms = new TouchRooms(ledgers, compileAlertRules(ledgers, { fleetGrowth: 1 }).conditions);
  rooms.makeRoom(0);
  rooms.set(0, 0, room, Infinity);
  return rooms;
}

describe('room for touches', () => {
  it('is taken until there is too little', () => {
    const rooms = roomsOf(10);
    expect([4, 5, 4].map((worth) => rooms.take({ ...nothing, worth }))).toEqual([true, true, false]);
    expect([rooms.exceededCount, rooms.exceeded[0]]).toEqual([1, 0]);
  });

  it('ends by touches that are too small for its digits', () => {
    const room = 2 ** 25;
    const rooms = roomsOf(room);
    const touch = { ...nothing, worth: 1 };
    let passed = 0;
    while (passed <= room && rooms.take(touch)) passed++;
    expect(passed).toBeLessThanOrEqual(room);
  });

  it('is not asked for by touches of kinds that move nothing', () => {
    expect(roomsOf(0).take({ ...nothing, kind: ledgers.kinds.number('other'), worth: 1 })).toBe(true);
  });

  it('has instants by the hour', () => {
    const rooms = roomsOf(0);
    expect(rooms.dueAt(0, 0)).toBe(Infinity);
    rooms.setSooner(0, 0, 0, 7_200_001);
    rooms.setSooner(0, 0, 0, 10_800_000);
    expect(rooms.dueAt(0, 0)).toBe(7_200_000);
  });
});

describe('the newest of many slots', () => {
  const newest = new NewestSlots();
  const oldestOf = (wanted: number, slots: readonly number[]): number => {
    newest.begin(wanted);
    for (const slot of slots) newest.add(slot);
    return newest.oldest;
  };

  it('are told by the oldest of those wanted', () => {
    expect([1, 2, 3, 4].map((wanted) => oldestOf(wanted, [3, 9, 3, 7]))).toEqual([9, 7, 3, 3]);
    expect(oldestOf(2, [5])).toBe(0);
    expect([newest.begin(64), newest.begin(65)]).toEqual([true, false]);
  });
});
