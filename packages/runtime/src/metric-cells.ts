import type { MetricSpec } from './metric-list.ts';

/**
 * What has been counted and measured, in cells that are found by the values of their labels without an object or a text being made: each
 * request and each block of the log adds to some ten of them. A cell is some 30 ns away; prom-client's own metrics, which hash their labels
 * with every addition, are a microsecond. Prom-client gets to see the cells when it is scraped.
 */

const REST = 'other';

export type Labels = Readonly<Record<string, string>>;

/** One line of the text for Prometheus, as prom-client takes it from a metric. */
export interface Sample {
  readonly value: number;
  readonly labels: Labels;
  readonly sharedLabels?: Labels;
  readonly metricName?: string;
}

type Node<Cell> = Map<string, Cell | Node<Cell>>;

/** The cells of one metric. */
export class Cells<Cell> {
  readonly #make: () => Cell;
  readonly #labels: readonly (readonly [name: string, valuesMax: number])[];
  readonly #seen: readonly Set<string>[];
  readonly #all: { readonly cell: Cell; readonly labels: Labels }[] = [];
  /** Maps by the value of each label in turn, the last of which hold cells; without labels it is the one cell. */
  readonly #root: Cell | Node<Cell>;

  constructor(spec: MetricSpec, make: () => Cell) {
    this.#make = make;
    this.#labels = Object.entries(spec.labels);
    this.#seen = this.#labels.map(() => new Set());
    this.#root = this.#labels.length === 0 ? this.#add({}) : new Map();
  }

  /** In the order in which they were first asked for. */
  get all(): readonly { readonly cell: Cell; readonly labels: Labels }[] {
    return this.#all;
  }

  /** The cell of these values. The first values of a label keep their names, as many as the list allows; later ones share `other`. */
  at(labels: Labels): Cell {
    let at = this.#root;
    for (let index = 0; index < this.#labels.length; index++) {
      const node = at as Node<Cell>;
      // What is there under its own name was within the bound when it came.
      const known = node.get(labels[this.#labels[index]![0]] ?? '');
      if (known !== undefined) {
        at = known;
        continue;
      }
      const value = this.#bounded(index, labels);
      const next = node.get(value);
      if (next === undefined) node.set(value, (at = index === this.#labels.length - 1 ? this.#add(labels) : new Map()));
      else at = next;
    }
    return at as Cell;
  }

  #add(labels: Labels): Cell {
    const cell = this.#make();
    this.#all.push({ cell, labels: Object.fromEntries(this.#labels.map(([name], index) => [name, this.#bounded(index, labels)])) });
    return cell;
  }

  #bounded(index: number, labels: Labels): string {
    const [name, valuesMax] = this.#labels[index]!;
    const value = labels[name] ?? '';
    const seen = this.#seen[index]!;
    if (seen.has(value)) return value;
    if (seen.size >= valuesMax) return REST;
    seen.add(value);
    return value;
  }
}

/** A counter's or a gauge's. */
export interface Amount {
  value: number;
}

export function amountSamples(cells: Cells<Amount>): Sample[] {
  return cells.all.map(({ cell, labels }) => ({ value: cell.value, labels }));
}

/** A histogram's. */
export class Distribution {
  readonly #buckets: readonly number[];
  /** Measurements by the bucket they fall in, those of lower ones not included; the last counts what is above all. */
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(buckets: readonly number[]) {
    this.#buckets = buckets;
    this.#counts = new Float64Array(buckets.length + 1);
  }

  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.#buckets.length && value > this.#buckets[bucket]!) bucket++;
    this.#counts[bucket]!++;
    this.#sum += value;
  }

  samples(name: string, sharedLabels: Labels): Sample[] {
    let upTo = 0;
    const buckets = [...this.#buckets.map(String), '+Inf'].map((le, index): Sample => {
      upTo += this.#counts[index]!;
      return { metricName: `${name}_bucket`, labels: { le }, sharedLabels, value: upTo };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: {}, sharedLabels, value: this.#sum },
      { metricName: `${name}_count`, labels: {}, sharedLabels, value: upTo },
    ];
  }
}
