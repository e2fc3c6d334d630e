import type { TouchRecord } from '@touchstone/testkit';
import type { Random } from '../support/random.ts';
import { KEY } from '../support/start-server.ts';

/** An ad platform that mostly does as it is told, and a world that tells of it late, twice and out of order. */

const BATCH = 500;
const RETRY_MS = 200;
const OUTSIDE_MS = 3_600_000;

type Touch = TouchRecord & { readonly accountId: string };

export interface AdPlatformOptions {
  /** Addresses; each batch goes to one of them, a repetition to another. */
  readonly ingests: readonly string[];
  readonly random: Random;
  readonly creatives: readonly string[];
}

export class AdPlatform {
  readonly #options: AdPlatformOptions;
  readonly #sent: Touch[] = [];
  readonly #shownOther = new Set<string>();
  #made = 0;

  constructor(options: AdPlatformOptions) {
    this.#options = options;
  }

  /** Something else than was decided. */
  isShownOther(accountId: string): boolean {
    return this.#shownOther.has(accountId);
  }

  /** Points of the kinds that this world has, by the default model: nobody has a role. */
  worthOf({ kind, minutes }: TouchRecord): number {
    const time = minutes ?? 0;
    if (kind === 'ad_impression') return 0.1;
    if (kind === 'ad_click') return 2;
    if (kind === 'web_visit') return 1 + Math.min(10, time);
    return kind === 'meeting' ? 30 + 0.5 * Math.min(120, time) : 0;
  }

  /** Shows each account what was decided, or not quite, and sends what came of it in some order, some of it twice. */
  async show(decided: ReadonlyMap<string, string>): Promise<void> {
    const { random } = this.#options;
    const touches = [...decided].flatMap(([accountId, variant]) => this.#storyOf(accountId, variant));
    await this.send([...random.shuffle(touches), ...random.shuffle(touches).slice(0, touches.length / 10)]);
  }

  /** As they were, of touches that were sent at any time. */
  duplicates(count: number): Touch[] {
    return this.#options.random.shuffle(this.#sent).slice(0, count);
  }

  /** New touches that happened soon after an account was first shown something, to be sent when it is settled. */
  lateTouches(): Touch[] {
    const { creatives, random } = this.#options;
    const shown = random.shuffle(this.#sent.filter(({ kind }) => kind === 'ad_impression')).slice(0, 100);
    return shown.map((touch) => {
      const about = { accountId: touch.accountId, occurredAt: touch.occurredAt + random.whole(-500, 500) };
      if (random.chance(0.3)) return this.#touch({ ...about, kind: 'web_visit', minutes: 2 });
      return this.#touch({ ...about, kind: random.chance(0.5) ? 'ad_click' : 'ad_impression', campaignId: 'spring', creativeId: random.pick(creatives) }); // prettier-ignore
    });
  }

  /** Sends batches to the ingest processes in turn, again until they are taken. */
  async send(touches: readonly Touch[]): Promise<void> {
    const { ingests } = this.#options;
    for (let from = 0; from < touches.length; from += BATCH) {
      const body = JSON.stringify(touches.slice(from, from + BATCH));
      for (let tries = 0; ; tries++) {
        const url = `${ingests[(from / BATCH + tries) % ingests.length]!}/v1/touches`;
        const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
        const response = await fetch(url, { method: 'POST', headers, body });
        const text = await response.text();
        if (response.status === 202 && text.includes('"rejected":[]')) break;
        if (response.status !== 503) throw new Error(`touches were not taken: ${response.status} ${text}`);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    this.#sent.push(...touches.filter(({ campaignId }) => campaignId === 'spring'));
  }

  #storyOf(accountId: string, variant: string): Touch[] {
    const { creatives, random } = this.#options;
    const isNobodys = variant === 'holdout';
    // Whoever is held out is shown nothing of it, with few exceptions.
    if (isNobodys && !random.chance(0.05)) return [this.#visit(accountId)];
    const chance = random();
    const others = creatives.filter((creativeId) => creativeId !== variant);
    const shown = isNobodys || chance < 0.04 ? random.pick(others) : variant;
    const stories = this.#seen(accountId, shown);
    if (shown !== variant) this.#shownOther.add(accountId);
    if (chance > 0.95) {
      this.#shownOther.add(accountId);
      stories.push(...this.#seen(accountId, random.pick(others)));
    }
    if (random.chance(0.1)) stories.push(this.#about(accountId, shown, 'ad_impression', -OUTSIDE_MS));
    if (random.chance(0.3)) stories.push(this.#visit(accountId));
    if (random.chance(0.1)) stories.push({ ...this.#about(accountId, shown, 'ad_impression', 0), campaignId: 'autumn' });
    if (random.chance(0.1)) stories.push(this.#about(accountId, shown, 'web_visit', 0));
    return stories;
  }

  #seen(accountId: string, creativeId: string): Touch[] {
    const { random } = this.#options;
    const impressions = Array.from({ length: random.whole(1, 3) }, () => this.#about(accountId, creativeId, 'ad_impression'));
    const rate = creativeId === 'a' ? 0.2 : 0.3;
    return random.chance(rate) ? [...impressions, this.#about(accountId, creativeId, 'ad_click')] : impressions;
  }

  #visit(accountId: string): Touch {
    const { random } = this.#options;
    const kind = random.chance(0.2) ? 'meeting' : 'web_visit';
    return this.#touch({ accountId, kind, minutes: random.whole(0, 30), occurredAt: this.#recently() });
  }

  #about(accountId: string, creativeId: string, kind: string, ageMs?: number): Touch {
    const occurredAt = ageMs === undefined ? this.#recently() : Date.now() + ageMs;
    return this.#touch({ accountId, kind, campaignId: 'spring', creativeId, occurredAt });
  }

  #recently(): number {
    return Date.now() - this.#options.random.whole(0, 1500);
  }

  #touch(given: Omit<Touch, 'id' | 'contactId'>): Touch {
    const { random } = this.#options;
    const contactId = random.chance(0.2) ? null : `person-${random.whole(1, 3)}`;
    return { id: `touch-${this.#made++}`, ...(contactId !== null && { contactId }), ...given };
  }
}
