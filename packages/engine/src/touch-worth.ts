import { compileRules, type CompiledRule } from './match-rule.ts';
import type { ScoringModel } from './model.ts';
import { FIELD, type TouchCursor } from './touch.ts';

const NO_RULES: readonly CompiledRule[] = [];

/** What touches are worth under a model, beside any ledger: undecayed, and whatever daily caps leave of it, which are used up in the ledgers alone. */
export class TouchWeigher {
  readonly model: ScoringModel;
  readonly #rules: ReadonlyMap<string, readonly CompiledRule[]>;

  constructor(model: ScoringModel) {
    this.model = model;
    this.#rules = compileRules(model);
  }

  /** Points, for a contact of this role; null for none, or for nobody known. */
  worth(touch: TouchCursor, role: string | null): number {
    const { minutes } = touch;
    let worth = 0;
    for (const rule of this.#rules.get(touch.text(FIELD.kind)!) ?? NO_RULES) {
      if (rule.where === null || rule.where(touch)) worth += rule.points + rule.pointsPerMinute * Math.min(minutes, rule.maxMinutes);
    }
    const { roles } = this.model;
    return role !== null && Object.hasOwn(roles, role) ? worth * roles[role]! : worth;
  }
}
