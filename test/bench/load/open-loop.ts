import { quantile } from '../figures.ts';
import { Lane, type Answer } from './lane.ts';

const TICK_MS = 1;
/** Requests that may wait for a connection: a server this far behind has failed at the rate. */
const WAITING_MAX = 50_000;

/** One kind of request, sent at a rate of its own over connections of its own. */
export interface Flow {
  readonly perSecond: number;
  readonly connections: number;
  next(): Buffer;
  /** @throws Error for an answer that is not as it should be */
  check(answer: Answer): void;
}

/** Milliseconds from the instant a request was due to its answer; `late` is what the generator itself was held up. */
export interface FlowTimes {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly lateP99: number;
  readonly answers: number;
}

export interface OpenLoopOptions {
  readonly port: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/**
 * Sends every flow by the clock, whether or not the requests before are answered, so that a server that stands still is charged with all who
 * would have asked meanwhile. What is due in the warm-up is sent and not told.
 */
export async function sendByClock(flows: readonly Flow[], options: OpenLoopOptions): Promise<FlowTimes[]> {
  const senders = await Promise.all(flows.map((flow) => Sender.open(flow, options)));
  const startedAt = performance.now() + TICK_MS;
  const end = startedAt + (options.warmUpSeconds + options.seconds) * 1000;
  for (let now = performance.now(); now < end; now = performance.now()) {
    for (const sender of senders) sender.sendDue(startedAt, now);
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  for (const sender of senders) sender.sendDue(startedAt, end);
  return Promise.all(senders.map((sender) => sender.finish()));
}

class Sender {
  readonly #flow: Flow;
  readonly #options: OpenLoopOptions;
  readonly #lanes: readonly Lane[];
  readonly #free: Lane[];
  /** When each request that waits for a connection was due; the first `#taken` have got one. */
  #due: number[] = [];
  #taken = 0;
  #sent = 0;
  #measuredFrom = Infinity;
  readonly #times: number[] = [];
  readonly #late: number[] = [];
  #failure: Error | null = null;
  #idle = (): void => {};

  private constructor(flow: Flow, options: OpenLoopOptions, lanes: readonly Lane[]) {
    this.#flow = flow;
    this.#options = options;
    this.#lanes = lanes;
    this.#free = [...lanes];
  }

  static async open(flow: Flow, options: OpenLoopOptions): Promise<Sender> {
    return new Sender(flow, options, await Promise.all(Array.from({ length: flow.connections }, () => Lane.open(options.port))));
  }

  sendDue(startedAt: number, now: number): void {
    if (this.#failure !== null) throw this.#failure;
    this.#measuredFrom = startedAt + this.#options.warmUpSeconds * 1000;
    for (;;) {
      const due = startedAt + (this.#sent * 1000) / this.#flow.perSecond;
      if (due > now) return;
      this.#sent++;
      if (due >= this.#measuredFrom) this.#late.push(now - due);
      this.#due.push(due);
      if (this.#due.length - this.#taken > WAITING_MAX) throw new Error(`${WAITING_MAX} requests wait: the server does not keep up`);
      // By turns: a server lets go of a connection over which nothing comes.
      const lane = this.#free.shift();
      if (lane !== undefined) void this.#work(lane);
    }
  }

  /** Waits for the answers that are still to come. */
  async finish(): Promise<FlowTimes> {
    if (this.#free.length < this.#lanes.length) await new Promise<void>((resolve) => (this.#idle = resolve));
    for (const lane of this.#lanes) lane.close();
    if (this.#failure !== null) throw this.#failure;
    const times = this.#times;
    return {
      p50: quantile(times, 0.5),
      p99: quantile(times, 0.99),
      max: quantile(times, 1),
      lateP99: quantile(this.#late, 0.99),
      answers: times.length,
    };
  }

  async #work(lane: Lane): Promise<void> {
    try {
      while (this.#taken < this.#due.length) {
        const due = this.#due[this.#taken++]!;
        if (this.#taken === this.#due.length) {
          this.#due = [];
          this.#taken = 0;
        }
        const answer = await lane.send(this.#flow.next());
        if (due >= this.#measuredFrom) this.#times.push(performance.now() - due);
        this.#flow.check(answer);
      }
    } catch (cause) {
      this.#failure ??= cause as Error;
    }
    this.#free.push(lane);
    if (this.#free.length === this.#lanes.length) this.#idle();
  }
}
