import { KEY } from '../support/start-server.ts';

/** Experiments, decisions and figures at one query process, over HTTP. */

const AT_A_TIME = 40;

export interface ExperimentHistory {
  readonly action: 'create' | 'start' | 'swap' | 'undo';
  readonly at: string;
  readonly by: string;
  readonly revision: number;
  readonly creativeId: string | null;
  readonly evidence: object | null;
}

export interface ExperimentResults {
  readonly asOf: string;
  readonly isComplete: boolean;
  readonly verdict: string;
  readonly reason: string;
  readonly arms: readonly { readonly creativeId: string; readonly value: number }[];
  readonly contamination: object;
  readonly sampleRatio: { readonly isAlarm: boolean; readonly arms: readonly { readonly accounts: number; readonly expected: number }[] };
  readonly comparisons: readonly {
    readonly creativeId: string;
    readonly against: string;
    readonly difference: { readonly value: number; readonly low: number; readonly high: number };
    readonly pValue: number;
    readonly pCorrected: number;
    readonly accounts: number;
  }[];
}

export interface CreativePage {
  readonly from: string;
  readonly to: string;
  readonly asOf: string;
  readonly data: readonly {
    readonly creativeId: string | null;
    readonly points: number;
    readonly contactsReached: number;
    readonly contactsClicked: number;
  }[];
}

export class ExperimentClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Makes it, and starts it. */
  async create(definition: { readonly id: string; readonly [field: string]: unknown }): Promise<void> {
    await this.#post('/v1/experiments', definition);
    await this.step(definition.id, 'start', {});
  }

  async step(id: string, action: 'start' | 'swap' | 'undo', body: object): Promise<void> {
    await this.#post(`/v1/experiments/${id}/${action}`, body);
  }

  /** Null while it is not known. */
  async status(id: string): Promise<string | null> {
    const response = await this.fetch(`/v1/experiments/${id}`);
    const { status } = (await response.json()) as { status: string };
    return response.ok ? status : null;
  }

  /** The variant of each account by one flag, in the order asked. */
  async decideAll(flag: string, accountIds: readonly string[]): Promise<Map<string, string>> {
    const decided = new Map<string, string>();
    // Once more as well: deciding changes nothing.
    for (let from = 0; from < accountIds.length; from += AT_A_TIME) {
      const some = accountIds.slice(from, from + AT_A_TIME);
      const answers = await Promise.all(
        some.map((targetingKey) => this.#decide(flag, targetingKey).catch(() => this.#decide(flag, targetingKey))),
      );
      for (const [at, accountId] of some.entries()) decided.set(accountId, answers[at]!.variant);
    }
    return decided;
  }

  #decide(flag: string, targetingKey: string): Promise<{ variant: string }> {
    return this.#post(`/ofrep/v1/evaluate/flags/${flag}`, { context: { targetingKey } });
  }

  async history(id: string): Promise<ExperimentHistory[]> {
    const { data } = await this.get<{ data: ExperimentHistory[] }>(`/v1/experiments/${id}/history`);
    return data;
  }

  async swaps(id: string): Promise<ExperimentHistory[]> {
    const history = await this.history(id);
    return history.filter(({ action }) => action === 'swap');
  }

  results(id: string): Promise<ExperimentResults> {
    return this.get(`/v1/experiments/${id}/results`);
  }

  creatives(campaignId: string): Promise<CreativePage> {
    return this.get(`/v1/creatives?campaignId=${campaignId}`);
  }

  /** Sum of the samples of a metric that have a label. */
  async metric(name: string, label: string): Promise<number> {
    const response = await this.fetch('/metrics');
    const lines = (await response.text()).split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(label));
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  /** Asks once more where the connection was that of a process which is no more. */
  async fetch(path: string): Promise<Response> {
    return this.#send(path).catch(() => this.#send(path));
  }

  #send(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.#url + path, { ...init, headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' } });
  }

  async get<Answer>(path: string): Promise<Answer> {
    return answerOf(path, await this.fetch(path));
  }

  async #post<Answer>(path: string, body: object): Promise<Answer> {
    return answerOf(path, await this.#send(path, { method: 'POST', body: JSON.stringify(body) }));
  }
}

async function answerOf<Answer>(path: string, response: Response): Promise<Answer> {
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Answer;
}
