import { setTimeout as sleep } from 'node:timers/promises';
import { isRecord, waitUntilReady, type ApiClient } from '../api-client.ts';
import { figureOf, recordsOf, textOf } from '../answers.ts';
import { CliError } from '../cli-error.ts';
import { sendBatch } from '../send-batch.ts';
import { formatCount } from '../terminal/format.ts';
import { makeWorld, type Company } from './make-world.ts';
import { createRandom } from './random.ts';
import { accountFacts, contactFacts } from './world-facts.ts';

export interface AdPlatformOptions {
  readonly client: ApiClient;
  readonly seed: string;
  readonly accounts: number;
  /** Accounts that are shown an ad, per second. */
  readonly rate: number;
  /** It gives up after so long without a swap. */
  readonly seconds: number;
  /** Of each creative: the probability that a person who is shown it clicks. */
  readonly clickRates: readonly number[];
  /** Tells the ids of this run from those of others. */
  readonly run: string;
  readonly signal: AbortSignal;
  readonly tell: (line: string) => void;
}

const FACTS_MAX = 1000;
/** Decisions asked for at the same time. */
const ASKED_AT_ONCE = 20;
const LOOK_MS = 2000;
/** So that a run takes a minute and not a week. */
const OUTCOME_WINDOW_S = 3;
const LEAST_SAMPLE = 100;
const SHOWN_AGAIN = 200;

interface Shown {
  readonly company: Company;
  readonly creativeId: string;
}

/**
 * An ad platform as it would use the API: asks by OFREP which creative an account should see, reports each impression and click as a touch, and sees its
 * answers change when the experiment swaps a creative out. Which creative works it knows from `clickRates`, and the server does not.
 */
export async function runAdPlatform(options: AdPlatformOptions): Promise<boolean> {
  const { client, clickRates, run, seed, signal, tell } = options;
  await waitUntilReady(client, tell);
  const world = makeWorld(createRandom(`${seed}/ads/${options.accounts}`), options.accounts);
  const random = createRandom(`${seed}/clicks`);
  const creatives = clickRates.map((_, index) => `hero-${String.fromCharCode(97 + index)}`);
  const rateOf = new Map(creatives.map((creativeId, index) => [creativeId, clickRates[index]!]));
  const id = `ads-${run}`;
  const shown: Shown[] = [];
  let clicks = 0;

  await sendFacts(options, [...accountFacts(world, Date.now())], '/v1/accounts');
  await sendFacts(options, [...contactFacts(world, Date.now())], '/v1/contacts');
  tell(
    `${formatCount(options.accounts)} accounts are known. Their people click with probability ${creatives.map((creativeId) => `${creativeId} ${rateOf.get(creativeId)}`).join(', ')}.`,
  );

  await post(client, '/v1/experiments', {
    id,
    name: 'Simulated ad platform',
    campaignId: id,
    arms: creatives.map((creativeId) => ({ creativeId })),
    mode: 'auto',
    metric: 'clicked',
    outcomeWindow: OUTCOME_WINDOW_S,
    grace: 1,
    leastSample: LEAST_SAMPLE,
  });
  await post(client, `/v1/experiments/${id}/start`, {});
  tell(
    `Experiment ${id} runs in mode auto: level 0.05, at least ${LEAST_SAMPLE} accounts a creative, each counted ${OUTCOME_WINDOW_S + 1} s after it was shown one.`,
  );

  const began = performance.now();
  let lookedAt = began;
  let next = 0;
  while (!signal.aborted && performance.now() - began < options.seconds * 1000) {
    const due = Math.min(world.companies.length, Math.floor(((performance.now() - began) / 1000) * options.rate)) - next;
    const companies = world.companies.slice(next, next + Math.min(due, ASKED_AT_ONCE));
    next += companies.length;
    if (companies.length > 0) await show(companies);
    if (performance.now() - lookedAt >= LOOK_MS) {
      lookedAt = performance.now();
      if (await look()) return true;
    }
    if (due < ASKED_AT_ONCE) await sleep(100, undefined, { signal }).catch(() => undefined);
  }
  tell(`No creative was swapped out within ${formatCount(options.seconds)} s.`);
  await post(client, `/v1/experiments/${id}/stop`, { reason: 'the simulation is over' });
  return false;

  async function show(companies: readonly Company[]): Promise<void> {
    const touches: string[] = [];
    const answers = await Promise.all(companies.map(({ id: accountId }) => ask(accountId)));
    for (const [index, company] of companies.entries()) {
      const { creativeId, isCounted } = answers[index]!;
      shown.push({ company, creativeId });
      const viewers = company.people.slice(0, random.integer(1, 3));
      for (const { id: contactId } of viewers) {
        const about = { accountId: company.id, contactId, campaignId: id, channel: 'display', source: 'simulate' };
        // What the experiment did not give is no evidence of how the creative does.
        const touch = isCounted ? { ...about, creativeId } : about;
        touches.push(JSON.stringify({ ...touch, kind: 'ad_impression' }));
        if (!random.chance(rateOf.get(creativeId) ?? 0)) continue;
        clicks++;
        touches.push(JSON.stringify({ ...touch, kind: 'ad_click' }));
      }
    }
    await sendBatch(touches, { client, path: '/v1/touches', onWait: tell, signal });
  }

  async function ask(accountId: string): Promise<{ readonly creativeId: string; readonly isCounted: boolean }> {
    const body = { contentType: 'application/json' as const, text: JSON.stringify({ context: { targetingKey: accountId } }) };
    const answer = await client.expect('POST', `/ofrep/v1/evaluate/flags/${id}`, body);
    const creativeId = isRecord(answer) ? textOf(answer['value']) : '';
    if (!rateOf.has(creativeId))
      throw new CliError(`The decision for ${accountId} is ${JSON.stringify(answer)}: no creative of the experiment.`);
    const metadata = isRecord(answer) && isRecord(answer['metadata']) ? answer['metadata'] : {};
    return { creativeId, isCounted: metadata['counted'] === true };
  }

  /** Tells how it goes; true once a creative is swapped out, and the answers that follow from it are told too. */
  async function look(): Promise<boolean> {
    const results = await client.expect('GET', `/v1/experiments/${id}/results`);
    const arms = isRecord(results) && Array.isArray(results['arms']) ? results['arms'].filter(isRecord) : [];
    const figures = arms.map(
      (arm) => `${textOf(arm['creativeId'])} ${shareText(arm['value'])} of ${figureOf(arm['accounts'], 0)} accounts`,
    );
    tell(`shown to ${formatCount(shown.length)} accounts, ${formatCount(clicks)} clicks; clicked: ${figures.join(', ')}`);
    const [step] = recordsOf(await client.expect('GET', `/v1/experiments/${id}/history?limit=1`));
    if (step?.['action'] !== 'swap') return false;
    const out = textOf(step['creativeId']);
    tell(`Swapped out by ${textOf(step['by'])}: ${out}. ${textOf(step['reason'])}.`);
    const before = shown.filter(({ creativeId }) => creativeId === out).slice(-SHOWN_AGAIN);
    const after = await Promise.all(before.map(({ company }) => ask(company.id)));
    const counts = [...Map.groupBy(after, ({ creativeId }) => creativeId)].map(([creativeId, of]) => `${of.length} get ${creativeId}`);
    tell(`Asked again, of ${formatCount(before.length)} accounts that were shown ${out}: ${counts.join(', ')}.`);
    await post(client, `/v1/experiments/${id}/stop`, { reason: 'the simulation is over' });
    return true;
  }
}

async function sendFacts({ client, signal, tell }: AdPlatformOptions, lines: readonly string[], path: string): Promise<void> {
  for (let at = 0; at < lines.length; at += FACTS_MAX) {
    await sendBatch(lines.slice(at, at + FACTS_MAX), { client, path, onWait: tell, signal });
  }
}

async function post(client: ApiClient, path: string, body: object): Promise<unknown> {
  return client.expect('POST', path, { contentType: 'application/json', text: JSON.stringify(body) });
}

function shareText(value: unknown): string {
  return typeof value === 'number' ? `${(value * 100).toFixed(1)} %` : 'none';
}
