import { answerKpi, type KpiAnswer } from '@touchstone/kpis';
import type { Clock } from '@touchstone/runtime';
import type { KpiStore, KpiTarget, Store } from '@touchstone/store';
import type { KpiQuestion } from './kpi-query.ts';

/**
 * Answers about KPIs, kept for a while: dashboards ask the same again and again, and statements of the embedded ClickHouse wait for each other and
 * for checkpoints.
 *
 * An answer holds as long as nothing more is stored, and for FRESH_MS whatever is; the same question asked while its answer is on the way waits
 * for that one.
 */
const FRESH_MS = 2000;
/** However little is stored: alerts' actions and the like move no position. */
const KEPT_MS = 300_000;
/** Some 20 kB each with a series. */
const ANSWERS_MAX = 500;
/** How long the stored position is taken for that of now. */
const POSITION_MS = 500;

export interface KeptAnswer {
  readonly answer: KpiAnswer;
  /** Epoch ms. */
  readonly asOf: number;
}

interface Entry {
  readonly position: string;
  readonly at: number;
  readonly kept: Promise<KeptAnswer>;
}

export interface KpiBookOptions {
  readonly store: Pick<KpiStore, 'measureKpi' | 'kpiTargets'> & Pick<Store, 'positions'>;
  readonly clock: Clock;
}

export class KpiBook {
  readonly #options: KpiBookOptions;
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry>();
  readonly #position: Remembered<string>;
  readonly #targets: Remembered<ReadonlyMap<string, KpiTarget>>;

  constructor(options: KpiBookOptions) {
    this.#options = options;
    const { clock, store } = options;
    this.#position = new Remembered(clock, POSITION_MS, async () => {
      const positions = [...(await store.positions()).values()];
      return positions.map(({ generation, offset, partition }) => `${partition}:${generation}:${offset}`).join(' ');
    });
    this.#targets = new Remembered(clock, FRESH_MS, async () => new Map((await store.kpiTargets()).map((target) => [target.name, target])));
  }

  targets(): Promise<ReadonlyMap<string, KpiTarget>> {
    return this.#targets.value();
  }

  /** After one was set. */
  forgetTargets(): void {
    this.#targets.forget();
  }

  async answer(question: KpiQuestion): Promise<KeptAnswer> {
    const { asked, filters, kpi } = question;
    const key = JSON.stringify([kpi.name, asked, filters]);
    const position = await this.#position.value();
    const now = this.#options.clock();
    const entry = this.#entries.get(key);
    this.#entries.delete(key);
    if (entry !== undefined && (now - entry.at < FRESH_MS || (entry.position === position && now - entry.at < KEPT_MS))) {
      this.#entries.set(key, entry);
      return entry.kept;
    }
    const kept = this.#compute(question, now);
    this.#entries.set(key, { position, at: now, kept });
    if (this.#entries.size > ANSWERS_MAX) this.#entries.delete(this.#entries.keys().next().value!);
    kept.catch(() => {
      if (this.#entries.get(key)?.kept === kept) this.#entries.delete(key);
    });
    return kept;
  }

  async #compute({ asked, filters, kpi }: KpiQuestion, now: number): Promise<KeptAnswer> {
    const { parameters, plan, segmentBy, settings } = asked;
    const query = { kpi, spans: plan.spans, segmentBy: segmentBy as never, filters, settings, parameters };
    return { answer: answerKpi(kpi, asked, await this.#options.store.measureKpi(query)), asOf: now };
  }
}

/** A value that is asked for once in a while, however often it is wanted. */
class Remembered<Value> {
  readonly #clock: Clock;
  readonly #freshMs: number;
  readonly #ask: () => Promise<Value>;
  #asked: Promise<Value> | null = null;
  #at = -Infinity;

  constructor(clock: Clock, freshMs: number, ask: () => Promise<Value>) {
    this.#clock = clock;
    this.#freshMs = freshMs;
    this.#ask = ask;
  }

  value(): Promise<Value> {
    const now = this.#clock();
    if (this.#asked !== null && now - this.#at < this.#freshMs) return this.#asked;
    const asked = this.#ask();
    this.#at = now;
    this.#asked = asked;
    asked.catch(() => {
      if (this.#asked === asked) this.#asked = null;
    });
    return asked;
  }

  forget(): void {
    this.#asked = null;
  }
}
