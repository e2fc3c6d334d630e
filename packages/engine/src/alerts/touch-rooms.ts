import { grown, moreRows } from '../columns/growth.ts';
import type { PartitionLedgers } from '../ledgers.ts';
import { HOUR_MS, hourOf } from '../time-slots.ts';
import type { Condition } from './conditions.ts';
import type { ComingTouch, Gauge } from './gauges.ts';

const NEVER = 0xffff_ffff;
/** Numbers of this many digits are rounded when they are kept: down, so that no touch passes that should not. */
const ROUNDED_DOWN = 1 - 2 ** -22;

/**
 * How much of each gauge may come to each account before a condition on it has to be asked. Most touches turn nothing, and that they don't is seen by
 * a few numbers that lie side by side: 4 bytes a gauge and account.
 */
export class TouchRooms {
  /** The gauge of each condition, by its place. */
  readonly gaugeOf: Int32Array;
  /** The conditions on each gauge. */
  readonly conditionsOn: readonly Int32Array[];
  /** The gauges whose room the last touch was too much for: the first so many. */
  readonly exceeded: Int32Array;
  exceededCount = 0;
  readonly #gauges: readonly Gauge[];
  readonly #ledgers: PartitionLedgers;
  /** The gauges that touches of a kind may move, by kind. */
  readonly #movedBy: Int32Array[] = [];
  #rooms = new Float32Array(0);
  /** The hour in which time may turn a condition on the gauge, at the earliest; the last there is for none. */
  #dueHours = new Uint32Array(0);

  constructor(ledgers: PartitionLedgers, conditions: readonly Condition[]) {
    this.#ledgers = ledgers;
    const byKey = new Map(conditions.map(({ gauge }) => [gauge.key, gauge]));
    const keys = [...byKey.keys()];
    this.#gauges = [...byKey.values()];
    this.gaugeOf = Int32Array.from(conditions, ({ gauge }) => keys.indexOf(gauge.key));
    this.conditionsOn = keys.map((key) => Int32Array.from([...conditions.keys()].filter((place) => conditions[place]!.gauge.key === key)));
    this.exceeded = new Int32Array(this.#gauges.length);
  }

  makeRoom(account: number): void {
    const count = this.#gauges.length;
    const rows = this.#rooms.length / Math.max(1, count);
    if (account < rows) return;
    const length = Math.max(account + 1, moreRows(rows)) * count;
    this.#rooms = grown(this.#rooms, length);
    this.#dueHours = grown(this.#dueHours, length);
  }

  get gaugeCount(): number {
    return this.#gauges.length;
  }

  /** @param dueAt epoch ms; Infinity for never */
  set(account: number, gauge: number, room: number, dueAt: number): void {
    const at = account * this.#gauges.length + gauge;
    this.#rooms[at] = room * ROUNDED_DOWN;
    this.#dueHours[at] = dueAt === Infinity ? NEVER : hourOf(dueAt);
  }

  /** As `set`, of a gauge for which nothing was forgotten that is due sooner. */
  setSooner(account: number, gauge: number, room: number, dueAt: number): void {
    const at = account * this.#gauges.length + gauge;
    this.#rooms[at] = room * ROUNDED_DOWN;
    if (dueAt !== Infinity && hourOf(dueAt) < this.#dueHours[at]!) this.#dueHours[at] = hourOf(dueAt);
  }

  /** When the hour begins in which something on the gauge may be due, epoch ms; Infinity for never. */
  dueAt(account: number, gauge: number): number {
    const hour = this.#dueHours[account * this.#gauges.length + gauge]!;
    return hour === NEVER ? Infinity : hour * HOUR_MS;
  }

  /**
   * Takes what the touch moves from the room that there is.
   * @returns whether there was enough: otherwise `exceeded` says of what there was not
   */
  take(touch: ComingTouch): boolean {
    const rooms = this.#rooms;
    const moved = this.#movedBy[touch.kind] ?? this.#findMoved(touch.kind);
    const row = touch.account * this.#gauges.length;
    this.exceededCount = 0;
    for (let i = 0; i < moved.length; i++) {
      const gauge = moved[i]!;
      const room = rooms[row + gauge]!;
      if (room === Infinity) continue;
      const moves = this.#gauges[gauge]!.moves(this.#ledgers, touch);
      if (moves === 0) continue;
      if (moves <= room) rooms[row + gauge] = (room - moves) * ROUNDED_DOWN;
      else this.exceeded[this.exceededCount++] = gauge;
    }
    return this.exceededCount === 0;
  }

  #findMoved(kind: number): Int32Array {
    const moved = Int32Array.from([...this.#gauges.keys()].filter((gauge) => this.#gauges[gauge]!.isMovedBy(this.#ledgers, kind)));
    this.#movedBy[kind] = moved;
    return moved;
  }
}
