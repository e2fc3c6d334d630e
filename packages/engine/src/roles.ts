import { rolesWatched } from './alerts/alert-rules.ts';
import type { ScoringModel } from './model.ts';
import type { StateWalk } from './state-walk.ts';

const ROLES_MAX = 0xfffe;

/** Roles as small numbers with their multipliers; 0 is no role, which counts once. */
export class Roles {
  /** Roles of a complete buying committee, in the model's order. */
  readonly wanted: readonly string[];
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [''];
  readonly #multipliers: number[] = [1];
  readonly #model: ScoringModel;

  /** @param names of roles that have their numbers already */
  constructor(model: ScoringModel, names: readonly string[] = []) {
    this.#model = model;
    this.wanted = model.wantedRoles ?? Object.keys(model.roles);
    for (const name of names) this.number(name);
    // Before any contact's: they keep their multipliers whatever else is called a role.
    for (const name of [...Object.keys(model.roles), ...this.wanted, ...rolesWatched(model)]) this.number(name);
  }

  /** The number of a role; null is 0. So many different roles that numbers run out are no roles at all, but contacts' jobs: they count as none. */
  number(name: string | null): number {
    if (name === null) return 0;
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.#names.length;
    if (number > ROLES_MAX) return 0;
    this.#numbers.set(name, number);
    this.#names.push(name);
    this.#multipliers.push(Object.hasOwn(this.#model.roles, name) ? this.#model.roles[name]! : 1);
    return number;
  }

  /** The number of a role, or -1 where it has none. */
  find(name: string): number {
    return this.#numbers.get(name) ?? -1;
  }

  name(number: number): string {
    return this.#names[number]!;
  }

  multiplier(number: number): number {
    return this.#multipliers[number]!;
  }

  /** The same roles, under the same numbers, with another model's multipliers. */
  under(model: ScoringModel): Roles {
    return new Roles(model, this.#names.slice(1));
  }

  /** Whether no role was ever left without a number, and none would have been under another model. */
  areAllKnown({ roles, wantedRoles = [], watches }: ScoringModel): boolean {
    return this.#names.length + Object.keys(roles).length + wantedRoles.length + watches.length <= ROLES_MAX;
  }

  walk(state: StateWalk): void {
    const names = state.list(this.#names.slice(1));
    if (!state.isBringing) return;
    // The model's have other numbers where it took over from another one.
    this.#numbers.clear();
    this.#names.length = 1;
    this.#multipliers.length = 1;
    for (const name of names) this.number(name);
  }
}
