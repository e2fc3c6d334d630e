import { freePort } from '@touchstone/testkit';
import { addEndpoint, publishModel, receiverSettings } from '../../support/alert-server.ts';
import { KEY, type Server } from '../../support/start-server.ts';
import { startBenchServer, stopCleanly, type BenchContext } from '../bench-context.ts';
import { figure, type Figure, type Section } from '../figures.ts';
import { runTask } from '../start-task.ts';
import type { AlertsRun } from '../tasks/measure-alerts.ts';
import { ALERT_MODEL } from '../workload/alert-model.ts';

const TOUCHES_PER_SECOND = 2000;
const TOUCHES_PER_REQUEST = 20;
const CROSSING_EVERY = 50;

/** How soon a touch that takes an account over a threshold is told by a webhook, under a steady load. */
export async function benchAlerts({ makeDirectory, sizes }: BenchContext): Promise<Section> {
  const { accounts, alertSeconds, alertWarmUpSeconds, contacts, longRuns } = sizes;
  const receiverPort = await freePort();
  const server = await startAlertServer(makeDirectory(), receiverPort);
  await addEndpoint(server, { name: 'bench', url: `http://127.0.0.1:${receiverPort}/` });
  const measured = await runTask('measureAlerts', {
    port: Number(new URL(server.url).port),
    key: KEY,
    receiverPort,
    ruleId: 'hot',
    accounts,
    contacts,
    seed: 1,
    touchesPerSecond: TOUCHES_PER_SECOND,
    touchesPerRequest: TOUCHES_PER_REQUEST,
    connections: 8,
    crossingEvery: CROSSING_EVERY,
    warmUpSeconds: alertWarmUpSeconds,
    seconds: alertSeconds,
    runs: longRuns,
  });
  await stopCleanly(server);
  const figures: Figure[] = [];
  const add = (what: string, unit: string, value: (run: AlertsRun) => number): void =>
    void figures.push(figure(what, unit, measured.map(value)));
  add('touch to webhook received, p50', 'ms', ({ received }) => received.p50);
  add('touch to webhook received, p99', 'ms', ({ received }) => received.p99);
  add('touch to webhook received, longest', 'ms', ({ received }) => received.max);
  add('touch to 202, p99', 'ms', ({ answer }) => answer.p99);
  add('crossings timed', 'touches', ({ crossings }) => crossings);
  add('messages of all rules', 'messages/s', ({ messagesPerSecond }) => messagesPerSecond);
  add('generator late, p99', 'ms', ({ lateness }) => lateness.p99);
  return {
    title: 'Touch to webhook at a steady rate',
    text:
      `${TOUCHES_PER_SECOND.toLocaleString('en-GB')} touches/s, ${TOUCHES_PER_REQUEST} a request, of which one in ${CROSSING_EVERY} takes an account over a ` +
      'threshold: from sending it until a receiver on this machine has the signed message, by one clock. The model has two thresholds, a ' +
      'qualification, three stages and a surge, which the other touches set off as well, and the endpoint gets all of it. In runs of ' +
      `${alertSeconds} s after ${alertWarmUpSeconds} s of warm-up, on a server with its default settings.`,
    figures,
  };
}

/** A server that may send to the receiver, under the model with alerts. */
export async function startAlertServer(data: string, receiverPort: number): Promise<Server> {
  const server = await startBenchServer(data, { env: receiverSettings(receiverPort) });
  await publishModel(server, ALERT_MODEL);
  return server;
}
