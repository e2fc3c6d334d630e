import { CapCounts } from '../columns/cap-counts.ts';
import { Names } from '../columns/names.ts';
import type { Decay } from '../decay.ts';
import type { CompiledRule } from '../match-rule.ts';
import type { ScoringModel } from '../model.ts';
import { dayOf } from '../time-slots.ts';
import { FIELD, type TouchCursor } from '../touch.ts';

/** What the touches of one contact, rule, campaign and channel come to, before the contact's role is looked at. */
export interface Cell {
  /** Place in `contacts`, or -1 for nobody known. */
  readonly contact: number;
  /** Place in `campaigns`, or -1 for none. */
  readonly campaign: number;
  /** Place in `channels`, or -1 for none. */
  readonly channel: number;
  /** Place in the model's list. */
  readonly rule: number;
  /** Touches that the rule matches. */
  touches: number;
  /** Of those that the rule's cap leaves. */
  worth: number;
  /** The same, each faded to the instant. */
  faded: number;
  /** Those that the cap took. */
  cappedTouches: number;
  cappedWorth: number;
  cappedFaded: number;
}

/** Numbers of pairs, in the order they first come. Both of a pair are below 2^26: more of anything than an account has. */
class Pairs {
  readonly #numbers = new Map<number, number>();

  number(one: number, other: number): number {
    const key = one * 2 ** 26 + other;
    let number = this.#numbers.get(key);
    if (number === undefined) this.#numbers.set(key, (number = this.#numbers.size));
    return number;
  }
}

/**
 * Takes the touches of one account in log order, and adds up what each contact, rule, campaign and channel brought, at one instant. Caps are used up
 * exactly as the ledgers do it (count-touches.ts); what they took is added up too. Budget: half a microsecond a touch, no strings.
 */
export class Contributions {
  /** Counted touches of the account. */
  touches = 0;
  /** Those that no rule matches: they count in windows and bring no points. */
  touchesWithoutRule = 0;
  readonly cells: Cell[] = [];
  readonly contacts = new Names();
  readonly campaigns = new Names();
  readonly channels = new Names();
  readonly #model: ScoringModel;
  readonly #decay: Decay;
  readonly #asOf: number;
  readonly #caps = new CapCounts();
  readonly #origins = new Pairs();
  readonly #sources = new Pairs();
  readonly #places = new Map<number, Cell>();

  /** @param asOf epoch ms; touches dated later count whole */
  constructor(model: ScoringModel, decay: Decay, asOf: number) {
    this.#model = model;
    this.#decay = decay;
    this.#asOf = asOf;
  }

  /**
   * @param rules that match the touch
   * @param now the engine's clock when it was taken, epoch ms
   */
  add(touch: TouchCursor, rules: readonly CompiledRule[], now: number): void {
    this.touches++;
    if (rules.length === 0) {
      this.touchesWithoutRule++;
      return;
    }
    const { minutes, occurredAt } = touch;
    const contact = rowOf(this.contacts, touch, FIELD.contactId);
    const campaign = rowOf(this.campaigns, touch, FIELD.campaignId);
    const channel = rowOf(this.channels, touch, FIELD.channel);
    const source = this.#sources.number(this.#origins.number(contact + 1, campaign + 1), channel + 1);
    const left = this.#decay.left(this.#asOf - occurredAt);
    const oldestDay = dayOf(now) - this.#model.retentionDays - 1;
    for (const rule of rules) {
      const worth = rule.points + rule.pointsPerMinute * Math.min(minutes, rule.maxMinutes);
      const cell = this.#cell(source, contact, campaign, channel, rule.index);
      cell.touches++;
      if (rule.dailyCap === 0 || this.#caps.take(contact + 1, dayOf(occurredAt), rule.index, rule.dailyCap, oldestDay)) {
        cell.worth += worth;
        cell.faded += worth * left;
      } else {
        cell.cappedTouches++;
        cell.cappedWorth += worth;
        cell.cappedFaded += worth * left;
      }
    }
  }

  #cell(source: number, contact: number, campaign: number, channel: number, rule: number): Cell {
    // Rules are fewer than 256.
    const key = source * 256 + rule;
    let cell = this.#places.get(key);
    if (cell === undefined) {
      cell = { contact, campaign, channel, rule, touches: 0, worth: 0, faded: 0, cappedTouches: 0, cappedWorth: 0, cappedFaded: 0 };
      this.#places.set(key, cell);
      this.cells.push(cell);
    }
    return cell;
  }
}

function rowOf(names: Names, { bytes, end, start }: TouchCursor, field: number): number {
  return start[field]! < 0 ? -1 : names.intern(0, bytes, start[field]!, end[field]!);
}
