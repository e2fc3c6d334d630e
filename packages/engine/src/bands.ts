import { WINDOWS, type WindowSpec } from './time-slots.ts';

/**
 * The edges of all windows of a unit, and of those before them, cut time into bands: an age in hours or days falls into one, and a window
 * is a few bands. So whatever is counted is counted once, by band, instead of once for each of the windows it falls into.
 *
 *     days back  0      7     14         30           60           90                      180
 *     band       |  0   |  1  |    2     |     3      |     4      |           5            |
 *     7d          ▒▒▒▒▒▒ ░░░░░                                                                    ▒ the window, ░ the one before it
 *     30d         ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒ ░░░░░░░░░░░░
 *     90d         ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒ ░░░░░░░░░░░░░░░░░░░░░░░░
 */
export class Bands {
  readonly windows: readonly BandWindow[];
  readonly count: number;
  /** The age at which each band ends, the next one's first. */
  readonly ends: readonly number[];
  /** The band of each age below `agesEnd`. */
  readonly ofAge: Uint8Array;
  readonly agesEnd: number;

  constructor(unit: WindowSpec['unit']) {
    const specs = WINDOWS.filter((spec) => spec.unit === unit);
    this.ends = [...new Set(specs.flatMap(({ length }) => [length, 2 * length]))].sort((a, b) => a - b);
    this.count = this.ends.length;
    this.agesEnd = this.ends.at(-1)!;
    this.ofAge = Uint8Array.from({ length: this.agesEnd }, (_, age) => this.ends.findIndex((end) => age < end));
    this.windows = specs.map(({ length, name }) => ({
      name,
      end: this.ends.indexOf(length) + 1,
      previousEnd: this.ends.indexOf(2 * length) + 1,
    }));
  }
}

/** A window is the bands from 0 to before `end`, the one before it those from `end` to before `previousEnd`. */
interface BandWindow {
  readonly name: WindowSpec['name'];
  readonly end: number;
  readonly previousEnd: number;
}

export const HOUR_BANDS = new Bands('hour');
export const DAY_BANDS = new Bands('day');
