import { TouchWeigher, type ScoringModel, type TouchCursor } from '@touchstone/engine';

const weighers = new WeakMap<ScoringModel, TouchWeigher>();
const contents = new WeakMap<ScoringModel, string>();

/** What one touch is worth by several models: each weighs it once, for however many experiments. */
export class Worths {
  readonly #touch: TouchCursor;
  readonly #role: string | null;
  readonly #byModel = new Map<ScoringModel, number>();

  /** @param role of the touch's contact; null for none. It reads the touch when it is asked, so as long as the cursor stays there. */
  constructor(touch: TouchCursor, role: string | null) {
    this.#touch = touch;
    this.#role = role;
  }

  by(model: ScoringModel): number {
    let worth = this.#byModel.get(model);
    if (worth === undefined) this.#byModel.set(model, (worth = weigherOf(model).worth(this.#touch, this.#role)));
    return worth;
  }
}

/** That of the known models which weighs as this one does, or this one: every start records the rules anew, and most were of one model. */
export function sameModel(model: ScoringModel, known: Iterable<ScoringModel | null>): ScoringModel {
  const content = contentOf(model);
  for (const other of known) if (other !== null && (other === model || contentOf(other) === content)) return other;
  return model;
}

function weigherOf(model: ScoringModel): TouchWeigher {
  let weigher = weighers.get(model);
  if (weigher === undefined) weighers.set(model, (weigher = new TouchWeigher(model)));
  return weigher;
}

function contentOf(model: ScoringModel): string {
  let content = contents.get(model);
  if (content === undefined) contents.set(model, (content = JSON.stringify([model.rules, model.roles])));
  return content;
}
