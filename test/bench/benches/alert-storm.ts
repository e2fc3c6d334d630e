import { freePort } from '@touchstone/testkit';
import { addEndpoint } from '../../support/alert-server.ts';
import { KEY } from '../../support/start-server.ts';
import type { BenchContext } from '../bench-context.ts';
import { figure, type Figure, type Section } from '../figures.ts';
import { runTask } from '../start-task.ts';
import type { StormRun } from '../tasks/measure-storm.ts';
import { startAlertServer } from './alerts.ts';

const ACCOUNTS = 10_000;
const OWNERS = 50;
const DEAD = { '/hangs': 'hangs', '/fails': 'fails' } as const;

/** A campaign touches very many accounts at once: how soon all of it is told, and what endpoints that are dead do to one that is well. */
export async function benchAlertStorm({ makeDirectory, sizes }: BenchContext): Promise<Section> {
  const figures: Figure[] = [];
  for (const [label, manners] of [
    ['alone', {}],
    ['beside one that hangs and one that fails', DEAD],
  ] as const) {
    const runs: StormRun[] = [];
    for (let i = 0; i < sizes.longRuns; i++) runs.push(await runStorm(makeDirectory(), manners));
    const add = (what: string, unit: string, value: (run: StormRun) => number): void =>
      void figures.push(figure(`${label}: ${what}`, unit, runs.map(value)));
    add('touch to webhook received, p50', 'ms', ({ received }) => received.p50);
    add('touch to webhook received, p99', 'ms', ({ received }) => received.p99);
    add('touch to webhook received, longest', 'ms', ({ received }) => received.max);
    add('messages', 'messages/s', ({ messagesPerSecond }) => messagesPerSecond);
    if (manners === DEAD) add('requests to the dead ones', 'requests', ({ askedInVain }) => askedInVain);
  }
  return {
    title: 'An alert storm',
    text:
      `One touch of each of ${ACCOUNTS.toLocaleString('en-GB')} accounts of ${OWNERS} owners, all sent at once, each of which takes its account over a threshold and into ` +
      'stages: from sending until a receiver on this machine has the message of the threshold, by one clock. The endpoint has no budget, another has ten ' +
      'alerts an hour and owner. Then the same beside an endpoint that answers nothing and one that answers 500. Each run on a server of its own.',
    figures,
  };
}

async function runStorm(data: string, manners: Readonly<Record<string, 'hangs' | 'fails'>>): Promise<StormRun> {
  const receiverPort = await freePort();
  const server = await startAlertServer(data, receiverPort);
  for (const path of Object.keys(manners)) await addEndpoint(server, { name: path, url: `http://127.0.0.1:${receiverPort}${path}` });
  await addEndpoint(server, { name: 'reps', url: `http://127.0.0.1:${receiverPort}/reps`, ownerBudget: 10 });
  await addEndpoint(server, { name: 'well', url: `http://127.0.0.1:${receiverPort}/well`, filter: { ruleIds: ['hot'] } });
  const updatedAt = Date.now();
  const accounts = Array.from({ length: ACCOUNTS }, (_, i) => ({ id: `storm-${i}`, owner: `owner-${i % OWNERS}`, updatedAt }));
  await server.post('/v1/accounts', accounts);
  const port = Number(new URL(server.url).port);
  const run = await runTask('measureStorm', { port, key: KEY, receiverPort, accounts: ACCOUNTS, manners, ruleId: 'hot' });
  // What is pending for the dead ones is of no interest any more.
  await server.kill();
  return run;
}
