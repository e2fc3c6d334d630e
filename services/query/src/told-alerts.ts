import type { Alert } from '@touchstone/engine';

/** More than are published between two checkpoints, which is what is published again after a crash; some 15 MB. */
const REMEMBERED_MAX = 100_000;

/**
 * Tells alerts that are news from those that stand on their topic again: a publication is repeated after a crash or a move, and a process that
 * has lost a partition without knowing it yet may still publish. Their ids are the same then.
 */
export class ToldAlerts {
  /** The one told longest ago first. */
  readonly #ids = new Set<string>();

  isNews({ id }: Pick<Alert, 'id'>): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    if (this.#ids.size > REMEMBERED_MAX) this.#ids.delete(this.#ids.values().next().value!);
    return true;
  }
}
