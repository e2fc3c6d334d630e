import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { ActiveSlots } from './active-slots.ts';
import { CapCounts } from './cap-counts.ts';
import { Cells } from './cells.ts';
import { engagedWithin, markEngagedDay } from './engaged-days.ts';
import { Names } from './names.ts';
import type { Column } from './growth.ts';
import { RecentIds } from './recent-ids.ts';
import { RuleStates } from './rule-states.ts';

/** Each column against the plain thing it stands for: a Map, a Set, a sorted array. */

const encoder = new TextEncoder();

describe('names', () => {
  test.prop([
    fc.array(fc.tuple(fc.oneof(fc.nat(3), fc.constantFrom(0xffff, 0x10000, 0xffffffff)), fc.string({ unit: 'binary', maxLength: 40 })), {
      maxLength: 400,
      size: 'max',
    }),
  ])('number names within their scope as a Map does', (added) => {
    const names = new Names();
    const rows = new Map<string, number>();
    for (const [scope, name] of added) {
      const bytes = encoder.encode(`<${name}>`);
      const key = `${scope} ${name}`;
      expect(names.find(scope, bytes, 1, bytes.length - 1)).toBe(rows.get(key) ?? -1);
      const row = names.intern(scope, bytes, 1, bytes.length - 1);
      if (!rows.has(key)) rows.set(key, rows.size);
      expect(row).toBe(rows.get(key));
      expect(names.text(row)).toBe(name);
    }
    expect(names.size).toBe(rows.size);
  });

  it('keeps names apart over many chunks of text', () => {
    const names = new Names();
    const texts = Array.from({ length: 5000 }, (_, i) => `${i} `.repeat(20));
    for (const text of texts) names.intern(0, encoder.encode(text), 0, text.length);
    expect(texts.filter((text, row) => names.text(row) !== text)).toEqual([]);
  });

  it('takes names of up to 65,535 bytes and refuses longer ones', () => {
    const names = new Names();
    const texts = [0, 255, 256, 257, 65_535].map((length) => 'x'.repeat(length));
    for (const text of texts) names.intern(0, encoder.encode(text), 0, text.length);
    expect(Array.from({ length: names.size }, (_, row) => names.text(row))).toEqual(texts);
    expect(() => names.intern(0, new Uint8Array(65_536), 0, 65_536)).toThrow('a name has 65536 bytes; 65535 is the most');
    expect(names.size).toBe(texts.length);
  });
});

/** The same ids, taken down and brought back. */
function copyOf(recent: RecentIds): RecentIds {
  const columns: Column[] = [];
  const numbers: number[] = [];
  recent.walk({
    isBringing: false,
    column: (column) => {
      columns.push(column.slice());
      return column;
    },
    number: (value) => {
      numbers.push(value);
      return value;
    },
    list: (items) => items,
  });
  const copy = new RecentIds(1000);
  copy.walk({
    isBringing: true,
    column: (_column) => columns.shift() as typeof _column,
    number: () => numbers.shift()!,
    list: (items) => items,
  });
  return copy;
}

describe('recent ids', () => {
  const horizonMs = 1000;
  const delivery = fc.record({ id: fc.nat(30), after: fc.oneof(fc.nat(50), fc.constantFrom(999, 1000, 1001, 5000)) });

  test.prop([fc.array(delivery, { maxLength: 500, size: 'max' })], { numRuns: 300 })(
    'repeat an id exactly when it counted less than a horizon before',
    (deliveries) => {
      const recent = new RecentIds(horizonMs);
      const counted = new Map<number, number>();
      let now = 1_700_000_000_000;
      for (const { id, after } of deliveries) {
        now += after;
        const bytes = encoder.encode(`touch-${id}`);
        const isRepeated = counted.has(id) && now - counted.get(id)! < horizonMs;
        expect(recent.isRepeated(bytes, 0, bytes.length, now, false)).toBe(isRepeated);
        if (!isRepeated) counted.set(id, now);
      }
    },
  );

  it('repeats no id of an earlier horizon, however many came in each, nor once it is brought back', () => {
    const recent = new RecentIds(horizonMs);
    for (const [horizon, count] of [3000, 2800, 3000, 500, 3000, 2900, 0, 2900].entries()) {
      const now = 10 + horizon * horizonMs;
      const ids = Array.from({ length: count }, (_, i) => encoder.encode(`touch-${horizon % 3}-${i}`));
      const repeated = (ids: readonly Uint8Array[], by: RecentIds, at: number) =>
        ids.filter((id) => by.isRepeated(id, 0, id.length, at, false)).length;
      expect(repeated(ids, recent, now)).toBe(0);
      expect(repeated(ids, recent, now + horizonMs - 1)).toBe(count);
      const broughtBack = copyOf(recent);
      expect(broughtBack.size).toBe(recent.size);
      expect(repeated(ids, broughtBack, now + horizonMs - 1)).toBe(count);
      const others = Array.from({ length: 3000 }, (_, i) => encoder.encode(`touch-${(horizon + 1) % 3}-${i}`));
      expect(repeated(others, broughtBack, now + horizonMs - 1)).toBe(0);
    }
  });

  it('holds many ids and forgets them after two horizons', () => {
    const recent = new RecentIds(horizonMs);
    const ids = Array.from({ length: 20_000 }, (_, i) => encoder.encode(`touch-${i}`));
    for (const id of ids) recent.isRepeated(id, 0, id.length, 10, false);
    expect(ids.filter((id) => !recent.isRepeated(id, 0, id.length, 1009, false))).toEqual([]);
    expect(recent.isRepeated(ids[0]!, 0, ids[0]!.length, 2010, false)).toBe(false);
    expect(recent.size).toBe(1);
  });

  it('refuses a horizon that its times can not hold', () => {
    expect(() => new RecentIds(50 * 86_400_000)).toThrow('the dedupe horizon must be 1 ms to 49 days');
  });
});

describe('cap counts', () => {
  const take = fc.record({ who: fc.nat(40), day: fc.integer({ min: 20_000, max: 20_030 }), rule: fc.nat(3) });

  test.prop([fc.array(take, { maxLength: 2000, size: 'max' })])('count up to the cap, per who, day and rule', (takes) => {
    const caps = new CapCounts();
    const counts = new Map<string, number>();
    for (const { who, day, rule } of takes) {
      const key = `${who} ${day} ${rule}`;
      const count = counts.get(key) ?? 0;
      expect(caps.take(who, day, rule, 3, 20_000)).toBe(count < 3);
      counts.set(key, Math.min(3, count + 1));
    }
  });

  it('gives up days that may be forgotten, and no other, when a new one comes', () => {
    const caps = new CapCounts();
    for (let who = 0; who < 150; who++) caps.take(who, 100, 0, 1, 0);
    for (let who = 0; who < 150; who++) caps.take(who, 200, 0, 1, 150);
    expect(caps.take(7, 200, 0, 1, 150)).toBe(false);
    expect(caps.take(7, 100, 0, 1, 150)).toBe(true);
  });
});

describe('cells', () => {
  const touch = fc.record({
    account: fc.nat(3),
    kind: fc.nat(2),
    minutes: fc.nat(9),
    /** Behind the newest slot so far; negative moves time on. */
    behind: fc.integer({ min: -40, max: 60 }),
  });

  test.prop([fc.array(touch, { maxLength: 300, size: 'max' })])('sum touches and minutes by account, slot and kind', (touches) => {
    const kept = 50;
    const cells = new Cells();
    const heads = new Uint32Array(4);
    const sums = new Map<string, [touches: number, minutes: number]>();
    let newest = 1000;
    for (const { account, kind, minutes, behind } of touches) {
      const slot = newest - behind;
      newest = Math.max(newest, slot);
      const oldest = newest - kept;
      if (slot < oldest) continue;
      cells.add(heads, account, slot, kind, minutes, oldest);
      const key = `${account} ${slot} ${kind}`;
      const [count, sum] = sums.get(key) ?? [0, 0];
      sums.set(key, [count + 1, sum + minutes]);
    }
    const found = new Map<string, [number, number]>();
    for (const [account, head] of heads.entries()) {
      let former = Infinity;
      for (let cell = head; cell !== 0; cell = cells.next[cell]!) {
        expect(cells.slot[cell]).toBeLessThanOrEqual(former);
        former = cells.slot[cell]!;
        if (former >= newest - kept) found.set(`${account} ${former} ${cells.kind[cell]}`, [cells.touches[cell]!, cells.minutes[cell]!]);
      }
    }
    const inWindow = [...sums].filter(([key]) => Number(key.split(' ')[1]) >= newest - kept);
    expect(found).toEqual(new Map(inWindow));
  });

  it('gives old cells back, so that memory does not grow with time', () => {
    const cells = new Cells();
    const heads = new Uint32Array(1);
    for (let slot = 0; slot < 100_000; slot++) cells.add(heads, 0, slot, 0, 1, slot - 47);
    expect(cells.slot.length).toBeLessThan(200);
  });
});

describe('active slots', () => {
  const step = fc.record({ contact: fc.nat(2), move: fc.integer({ min: -80, max: 80 }) });

  const widths = fc.array(fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 40 })), { minLength: 1, maxLength: 8 });

  test.prop([fc.array(step, { maxLength: 200, size: 'max' }), fc.integer({ min: -5, max: 80 }), widths])(
    'remember exactly the latest 64 slots of each contact, and tell them by bands of age',
    (steps, ahead, bandWidths) => {
      const active = new ActiveSlots(64);
      const marked = new Map<number, Set<number>>();
      let slot = 500_000;
      for (const { contact, move } of steps) {
        slot += move;
        active.mark(contact, slot);
        const slots = marked.get(contact) ?? new Set();
        marked.set(contact, slots.add(slot));
      }
      const ends = bandWidths.map((_, band) => bandWidths.slice(0, band + 1).reduce((sum, width) => sum + width, 0));
      const agesEnd = ends.at(-1)!;
      const ofAge = Uint8Array.from({ length: agesEnd }, (__, age) => ends.findIndex((end) => age < end));
      for (const [contact, slots] of marked) {
        const newest = Math.max(...slots);
        const current = newest + ahead;
        let expected = 0;
        for (const one of slots) {
          const age = current - one;
          // Slots further back than 63 from the newest are out of reach, by design.
          if (one > newest - 64 && age >= 0 && age < agesEnd) expected |= 1 << ofAge[age]!;
        }
        expect(active.bandsOf(contact, current, { agesEnd, ends, ofAge })).toBe(expected);
      }
    },
  );
});

describe('engaged days', () => {
  test.prop([
    fc.array(fc.record({ today: fc.nat(3), back: fc.integer({ min: -1, max: 40 }) }), { maxLength: 60 }),
    fc.integer({ min: 1, max: 30 }),
  ])('tell whether any day of the window was one, though only two are kept', (marks, length) => {
    const newest = new Uint16Array(1);
    const former = new Uint16Array(1);
    const days: number[] = [];
    let today = 20_000;
    for (const mark of marks) {
      today += mark.today;
      days.push(today - mark.back);
      markEngagedDay(newest, former, 0, today - mark.back);
      const last = today;
      const first = last - length + 1;
      expect(engagedWithin(newest, former, 0, first, last)).toBe(days.some((day) => day >= first && day <= last));
    }
  });
});

it('rule states tell rules apart whatever their numbers', () => {
  const states = new RuleStates();
  const rows = [5, 0x10005, 0xffffffff].map((rule) => states.of(0, rule));
  expect(new Set(rows).size).toBe(3);
  expect([5, 0x10005, 0xffffffff].map((rule) => states.find(0, rule))).toEqual(rows);
  expect(states.find(0, 6)).toBe(0);
});
