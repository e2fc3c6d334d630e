import { kindsWatched } from './alerts/alert-rules.ts';
import { Names } from './columns/names.ts';
import { compileActNow, compileRules, type CompiledRule } from './match-rule.ts';
import type { ScoringModel } from './model.ts';
import type { StateWalk } from './state-walk.ts';
import type { TouchCursor } from './touch.ts';

/**
 * So many different kinds are told apart in a partition; any further one counts as `other`, the first row. The cells of a day are a chain of its
 * kinds, so a flood of made-up ones would make each touch dearer. Those that a rule or a list names come first: none loses a point.
 */
const KINDS_MAX = 500;
const encoder = new TextEncoder();

const IMPRESSION = 'ad_impression';
const CLICK = 'ad_click';

/** Passive kinds: being reached by them is not being engaged (design: engaged means a web visit or a response). */
const PASSIVE: ReadonlySet<string> = new Set([IMPRESSION, 'email_open', 'direct_mail']);

const NO_RULES: readonly CompiledRule[] = [];

/** The kinds seen so far as small numbers, with what the model says of each. */
export class Kinds {
  /** Numbers of the two kinds that creatives are measured by: they always have one. */
  readonly impression: number;
  readonly click: number;
  readonly #names: Names;
  readonly #rulesByName: ReadonlyMap<string, readonly CompiledRule[]>;
  readonly #actNowByName: ReadonlyMap<string, (touch: TouchCursor) => boolean>;
  readonly #rules: (readonly CompiledRule[])[] = [];
  /** Whether a rule of the kind asks for more than the kind. */
  readonly #isSelective: boolean[] = [];
  readonly #engages: boolean[] = [];
  /** Whether a touch of the kind qualifies its account at once; undefined for kinds of which none does. */
  readonly #actNow: (((touch: TouchCursor) => boolean) | undefined)[] = [];
  /** Each kind's name: views ask for it more often than it is worth reading from its bytes. */
  readonly #texts: string[] = [];
  #byName: readonly number[] = [];
  readonly #unruled = new Map<number, number>();

  /** @param names of kinds that have their numbers already */
  constructor(model: ScoringModel, names: Names = new Names()) {
    this.#names = names;
    this.#rulesByName = compileRules(model);
    this.#actNowByName = compileActNow(model);
    for (let kind = 0; kind < names.size; kind++) this.#add(kind);
    for (const name of ['other', ...PASSIVE, CLICK, ...this.#rulesByName.keys(), ...kindsWatched(model)]) this.number(name);
    this.impression = this.number(IMPRESSION);
    this.click = this.number(CLICK);
  }

  /** How many have a number. */
  get count(): number {
    return this.#names.size;
  }

  intern(bytes: Uint8Array, start: number, end: number): number {
    const size = this.#names.size;
    if (size > KINDS_MAX) return Math.max(0, this.#names.find(0, bytes, start, end));
    const kind = this.#names.intern(0, bytes, start, end);
    if (kind === size) this.#add(kind);
    return kind;
  }

  number(name: string): number {
    const bytes = encoder.encode(name);
    return this.intern(bytes, 0, bytes.length);
  }

  /** The number of a kind, or -1 where it has none. */
  find(name: string): number {
    const bytes = encoder.encode(name);
    return this.#names.find(0, bytes, 0, bytes.length);
  }

  name(kind: number): string {
    return this.#texts[kind]!;
  }

  /** All numbers in the order of their names: which number a kind has depends on what was read before, and answers must not. */
  get byName(): readonly number[] {
    if (this.#byName.length !== this.#texts.length) {
      const names = this.#texts;
      this.#byName = [...names.keys()].toSorted((a, b) => (names[a]! < names[b]! ? -1 : 1));
    }
    return this.#byName;
  }

  rules(kind: number): readonly CompiledRule[] {
    return this.#rules[kind]!;
  }

  /** Those of the kind's rules that match the touch. */
  matchingRules(kind: number, touch: TouchCursor): readonly CompiledRule[] {
    const rules = this.#rules[kind]!;
    return this.#isSelective[kind] === true ? rules.filter(({ where }) => where === null || where(touch)) : rules;
  }

  /** Whether what a touch of the kind is worth, or does, depends on more of it than the kind. */
  asksForMore(kind: number): boolean {
    return this.#isSelective[kind] === true || this.#actNow[kind] !== undefined;
  }

  /** Whether the touch, of this kind, qualifies its account at once. */
  isActNow(kind: number, touch: TouchCursor): boolean {
    const isActNow = this.#actNow[kind];
    return isActNow !== undefined && isActNow(touch);
  }

  /** Whether a touch of the kind can qualify its account at once. */
  mayActNow(kind: number): boolean {
    return this.#actNow[kind] !== undefined;
  }

  /** Notes a touch of a kind that no rule names. */
  countUnruled(kind: number): void {
    this.#unruled.set(kind, (this.#unruled.get(kind) ?? 0) + 1);
  }

  /** Touches by kind that no rule names, since the last call. */
  takeUnruled(): [kind: string, touches: number][] {
    const counts = [...this.#unruled].map(([kind, touches]): [string, number] => [this.name(kind), touches]);
    this.#unruled.clear();
    return counts;
  }

  /** Whether a touch of the kind makes its contact engaged. */
  engages(kind: number): boolean {
    return this.#engages[kind]!;
  }

  /** The same kinds, under the same numbers, with what another model says of them. These must not be used any more. */
  under(model: ScoringModel): Kinds {
    return new Kinds(model, this.#names);
  }

  /** Whether no kind was ever counted as `other`, and none would have been under another model. */
  areAllKnown(model: ScoringModel): boolean {
    return this.#names.size + model.rules.length + kindsWatched(model).length <= KINDS_MAX;
  }

  #add(kind: number): void {
    const name = this.#names.text(kind);
    const rules = this.#rulesByName.get(name) ?? NO_RULES;
    this.#texts[kind] = name;
    this.#rules[kind] = rules;
    this.#isSelective[kind] = rules.some(({ where }) => where !== null);
    this.#engages[kind] = !PASSIVE.has(name);
    this.#actNow[kind] = this.#actNowByName.get(name);
  }

  walk(state: StateWalk): void {
    this.#names.walk(state);
    if (state.isBringing) for (let kind = 0; kind < this.#names.size; kind++) this.#add(kind);
  }
}
