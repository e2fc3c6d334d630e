import { setTimeout as sleep } from 'node:timers/promises';
import type { AlertModelDocument } from '@touchstone/testkit';
import type { Random } from '../../support/random.ts';
import { KEY } from '../../support/start-server.ts';

const HALF_LIFE_MS = 3_600_000;
/** No level is one that sums of whole minutes give. */
const WARM = 10.37;

/** Rules of every kind that touches of half a minute can turn; points fade by half in an hour, the shortest there is. */
export const alertModel: AlertModelDocument = {
  version: 'under-fire',
  decay: { kind: 'exponential', halfLifeDays: HALF_LIFE_MS / 86_400_000 },
  halfScorePoints: 40,
  rules: [
    { id: 'call', kind: 'call', pointsPerMinute: 1, maxMinutes: 1440 },
    { id: 'meeting', kind: 'meeting', points: 7, dailyCap: 3 },
  ],
  roles: { champion: 1.5, decision_maker: 2 },
  thresholds: [
    { id: 'warm', metric: 'points', enter: WARM },
    { id: 'hot', metric: 'score', enter: 31.7, exit: 23.3, cooldown: '10s', byTier: { first: { enter: 41.3 } } },
    { id: 'busy', metric: 'touches.24h', enter: 4 },
    { id: 'people', metric: 'contacts.24h', enter: 3, filter: { tier: ['first', 'second'] } },
    { id: 'covered', metric: 'coverage', enter: 0.5 },
  ],
  qualification: {
    atLeast: 1,
    of: [
      { id: 'warm', metric: 'points', atLeast: WARM },
      { id: 'met', metric: 'kind.meeting.24h', atLeast: 2 },
    ],
    minContacts: 2,
  },
  stages: [
    { id: 'aware', metrics: [{ metric: 'touches.90d', atLeast: 1 }] },
    { id: 'qualified', qualified: true },
  ],
  watches: [
    { id: 'single', kind: 'single_threaded', minTouches: 4 },
    { id: 'decider', kind: 'role_engaged', role: 'decision_maker' },
  ],
};

const ROLES = ['champion', 'decision_maker', 'user', null];
const SILENCE_MS = 100;
const RETRY_MS = 50;
const ANSWER_WITHIN_MS = 5000;

export interface AlertTrafficOptions {
  readonly ingestUrl: string;
  readonly random: Random;
  /** Accounts that are lifted over a level again and again, just so far that they fade below it within seconds. */
  readonly fading: number;
  /** Accounts with all sorts of touches and facts. */
  readonly mixed: number;
  /** The longest time that a fading account stays above. */
  readonly aboveMsMax: number;
}

/** Touches and facts whose alerts are known from the log alone; each is sent until it is taken. */
export class AlertTraffic {
  readonly acked = new Set<string>();
  readonly #options: AlertTrafficOptions;
  /** Of each fading account the points it had at an instant. */
  readonly #points = new Map<string, { points: number; at: number }>();
  readonly #unanswered = new Set<Promise<void>>();
  #sent = 0;
  #isOn = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: AlertTrafficOptions) {
    this.#options = options;
  }

  start(): void {
    this.#isOn = true;
    this.#running = this.#run();
    // A failure is told by `pause`.
    this.#running.catch(() => {});
  }

  /** Resolves once all that was sent is taken. */
  async pause(): Promise<void> {
    this.#isOn = false;
    await this.#running;
    await Promise.all(this.#unanswered);
  }

  async #run(): Promise<void> {
    const { random } = this.#options;
    while (this.#isOn) {
      const sending = random.chance(0.7) ? this.#lift() : this.#mix();
      this.#unanswered.add(sending);
      void sending.then(() => this.#unanswered.delete(sending)).catch(() => {});
      await sleep(random.whole(0, SILENCE_MS));
    }
  }

  /** A call of just so many minutes that the account is above the level for some seconds, if it is not already. */
  async #lift(): Promise<void> {
    const { aboveMsMax, fading, random } = this.#options;
    const accountId = `fading-${random.whole(0, fading - 1)}`;
    const now = Date.now();
    const known = this.#points.get(accountId) ?? { points: 0, at: now };
    const points = known.points * 2 ** ((known.at - now) / HALF_LIFE_MS);
    if (points >= WARM) return;
    // Half a millisecond: where points are the level but for rounding, nobody can say in which of two milliseconds they pass it.
    const wanted = WARM * 2 ** ((random.whole(1000, aboveMsMax) + 0.5) / HALF_LIFE_MS);
    this.#points.set(accountId, { points: wanted, at: now });
    await this.#touch({ accountId, contactId: `contact-${random.whole(1, 2)}`, kind: 'call', minutes: wanted - points, occurredAt: now });
  }

  async #mix(): Promise<void> {
    const { mixed, random } = this.#options;
    const accountId = `mixed-${random.whole(0, mixed - 1)}`;
    const contactId = `contact-${random.whole(1, 4)}`;
    if (random.chance(0.15)) {
      await this.#send('/v1/contacts', { id: contactId, accountId, role: random.pick(ROLES), updatedAt: Date.now() });
    } else if (random.chance(0.1)) {
      const tier = random.pick(['first', 'second', null]);
      await this.#send('/v1/accounts', { id: accountId, owner: random.pick(['ann', 'bo']), tier, updatedAt: Date.now() });
    } else {
      const late = random.chance(0.1) ? random.whole(0, 5 * HALF_LIFE_MS) : 0;
      const kind = random.pick(['call', 'meeting', 'web_visit']);
      await this.#touch({ accountId, contactId, kind, minutes: random.whole(0, 12), occurredAt: Date.now() - late });
    }
  }

  async #touch(touch: Readonly<Record<string, unknown>>): Promise<void> {
    const id = `touch-${this.#sent++}`;
    await this.#send('/v1/touches', { id, ...touch });
    // As a client does that crashed before it noted the answer.
    if (this.#options.random.chance(0.05)) await this.#send('/v1/touches', { id, ...touch });
    this.acked.add(id);
  }

  async #send(path: string, item: unknown): Promise<void> {
    while (!(await postOnce(this.#options.ingestUrl + path, [item]))) await sleep(RETRY_MS);
  }
}

/** False when it was not answered, or the server said to send it again. */
async function postOnce(address: string, body: unknown): Promise<boolean> {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const response = await fetch(address, { method: 'POST', headers, body: JSON.stringify(body), signal }).catch(() => null);
  const answer = await response?.text().catch(() => null);
  if (response === null || answer === null || response.status === 503) return false;
  if (response.status !== 202) throw new Error(`POST ${address}: ${response.status} ${answer}`);
  return true;
}
