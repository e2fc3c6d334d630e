import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom, type Random } from '../../support/random.ts';
import { until } from '../../support/settle.ts';
import { KEY } from '../../support/start-server.ts';
import type { Scenario, ScenarioOptions, ScenarioReport } from '../scenario.ts';
import { alertModel, AlertTraffic } from '../stage/alert-traffic.ts';
import { checkAlerts, type Told } from '../stage/check-alerts.ts';
import type { ServiceProcess } from '../stage/service-process.ts';
import { Stage } from '../stage/stage.ts';
import { watchPauses } from '../stage/watch-pauses.ts';
import { flakyMood, WebhookReceiver } from '../stage/webhook-receiver.ts';

const WITHIN_MS = 120_000;
/** So soon after its instant must be told what time alone makes, while nothing fails. */
const TOLD_WITHIN_MS = 1000;
/** A machine on which this very process has to wait for so long says nothing of that. */
const PAUSE_MS_MAX = 100;
/** What was due as a quiet time began may have waited for what was before. */
const BEGINS_AFTER_MS = 1000;
const RESENT_EVERY_MS = 2000;
const ABOVE_MS_MAX = 6000;

/** Alerts from aggregators to two subscribers, while all on the way is killed, bounced and moved: each is told once, and those that time makes in time. */
export const alertsUnderFire: Scenario = {
  id: 'T15',
  title: 'alerts, with aggregators and notifier killed, broker bounced, receivers failing',
  async run(options) {
    const random = createRandom(options.seed);
    const receivers = [
      new WebhookReceiver({ name: 'steady', secret: secretOf(random), mood: () => 'well' }),
      new WebhookReceiver({ name: 'flaky', secret: secretOf(random), mood: flakyMood(createRandom(options.seed + 1)) }),
    ];
    await Promise.all(receivers.map((receiver) => receiver.open()));
    const stage = await Stage.open({
      partitions: options.long ? 8 : 4,
      env: {
        NOTIFY_ALLOW_PRIVATE: '127.0.0.0/8',
        NOTIFY_ALLOW_HTTP: 'true',
        NOTIFY_PORTS: receivers.map(({ port }) => port).join(','),
      },
    });
    try {
      return await new Play(stage, receivers, random, options).run();
    } finally {
      await stage.close();
      await Promise.all(receivers.map((receiver) => receiver.close()));
    }
  },
};

function secretOf(random: Random): string {
  return `whsec_${Buffer.from(Array.from({ length: 32 }, () => random.whole(0, 255))).toString('base64')}`;
}

/** A time in which nothing failed, epoch ms. */
interface Quiet {
  readonly from: number;
  readonly to: number;
  /** The longest that this process had to wait in it. */
  readonly pauseMs: number;
}

class Play {
  readonly #stage: Stage;
  readonly #receivers: readonly WebhookReceiver[];
  readonly #random: Random;
  readonly #options: ScenarioOptions;
  readonly #faults: Record<string, number> = {};
  readonly #quiets: Quiet[] = [];
  readonly #aggregators: ServiceProcess[] = [];
  #notifier: ServiceProcess | null = null;

  constructor(stage: Stage, receivers: readonly WebhookReceiver[], random: Random, options: ScenarioOptions) {
    this.#stage = stage;
    this.#receivers = receivers;
    this.#random = random;
    this.#options = options;
  }

  async run(): Promise<ScenarioReport> {
    const { long, say } = this.#options;
    const { query, traffic } = await this.#setUp();
    say('the stage is set');
    traffic.start();
    await this.#quiet(long ? 30_000 : 7000);
    for (let round = 0; round < (long ? 12 : 1); round++) {
      for (const fault of this.#random.shuffle([...FAULTS])) {
        await this.#hurt(fault);
        await sleep(this.#random.whole(0, 1500));
      }
      await traffic.pause();
      await this.#stage.settle();
      say(`hurt it: ${JSON.stringify(this.#faults)}; ${traffic.acked.size} touches so far`);
      traffic.start();
      await this.#quiet(long ? 15_000 : 7000);
    }
    await traffic.pause();
    // What has been lifted falls by itself.
    await sleep(ABOVE_MS_MAX + 1000);
    await this.#stage.settle();
    await this.#allDelivered();
    const found = await checkAlerts(this.#stage, alertModel, query.url, this.#receivers);
    const delays = this.#delays(found.told);
    return {
      wrong: [...this.#stage.wrong, ...found.wrong, ...delays.wrong],
      faults: this.#faults,
      recoveriesMs: [],
      figures: {
        touches: traffic.acked.size,
        records: found.records,
        ticks: found.ticks,
        alerts: found.told.size,
        'alerts twice on the topic': found.repeated,
        ...Object.fromEntries(this.#receivers.map(({ counts, name }) => [`${name} received twice`, counts.repeated])),
        ...delays.figures,
      },
    };
  }

  /** The model is in force before anything is on the log that it could be about. */
  async #setUp(): Promise<{ query: ServiceProcess; traffic: AlertTraffic }> {
    const stage = this.#stage;
    const first = await stage.start('aggregator');
    await first.becomesReady();
    const others = await Promise.all([stage.start('ingest'), stage.start('query'), stage.start('notifier')]);
    await Promise.all(others.map((one) => one.becomesReady()));
    const [ingest, query, notifier] = others;
    this.#notifier = notifier;
    await post(`${ingest.url}/v1/models`, alertModel, 202);
    await until(Date.now() + WITHIN_MS, 'the model is in force', async () => {
      const { version } = (await get(`${query.url}/v1/models/current`)) as { version: string };
      return version === alertModel.version && first.output().includes(`"modelVersion":"${alertModel.version}"`);
    });
    await stage.settle();
    for (const { name, secret, url } of this.#receivers) await post(`${notifier.url}/v1/endpoints`, { name, secret, url }, 201);
    const second = await stage.start('aggregator');
    await second.becomesReady();
    this.#aggregators.push(first, second);
    const size = this.#options.long ? { fading: 40, mixed: 24 } : { fading: 20, mixed: 12 };
    const traffic = new AlertTraffic({ ingestUrl: ingest.url, random: this.#random, ...size, aboveMsMax: ABOVE_MS_MAX });
    return { query, traffic };
  }

  async #quiet(ms: number): Promise<void> {
    const from = Date.now() + BEGINS_AFTER_MS;
    await sleep(BEGINS_AFTER_MS);
    const pauses = watchPauses();
    await sleep(ms);
    this.#quiets.push({ from, to: Date.now(), pauseMs: pauses.finish() });
    // What happened in it has been told before anything fails again.
    await sleep(TOLD_WITHIN_MS);
  }

  async #hurt(fault: (typeof FAULTS)[number]): Promise<void> {
    this.#faults[fault] = (this.#faults[fault] ?? 0) + 1;
    const { broker } = this.#stage;
    const at = this.#random.whole(0, this.#aggregators.length - 1);
    switch (fault) {
      case 'aggregator killed':
        await this.#aggregators[at]!.kill();
        this.#aggregators[at] = await this.#stage.start('aggregator');
        return this.#aggregators[at].becomesReady();
      case 'notifier killed': {
        const { port } = this.#notifier!;
        await this.#notifier!.kill();
        this.#notifier = await this.#stage.start('notifier', { port });
        return;
      }
      case 'broker bounced':
        await (this.#random.chance(0.5) ? broker.stop() : broker.kill());
        await sleep(this.#random.whole(0, 1000));
        return broker.start();
      case 'partitions moved': {
        const third = await this.#stage.start('aggregator');
        await third.becomesReady();
        await sleep(1000);
        await third.stop();
        return;
      }
      case 'receiver restarted':
        return this.#receivers[1]!.restart(this.#random.whole(200, 1500));
    }
  }

  /** Until no message waits. One that has failed twice is left alone for minutes, unless it is sent again by hand: as an admin does who has mended a receiver. */
  async #allDelivered(): Promise<void> {
    const { url } = this.#notifier!;
    await this.#notifier!.becomesReady();
    const deadline = Date.now() + WITHIN_MS;
    const { data: endpoints } = (await get(`${url}/v1/endpoints`)) as { data: { id: string }[] };
    for (;;) {
      const waiting = await Promise.all(endpoints.map(({ id }) => pendingOf(url, id)));
      if (waiting.every((rows) => rows.length === 0)) return;
      if (Date.now() > deadline)
        return void this.#stage.wrong.push(`after ${WITHIN_MS} ms there still wait ${JSON.stringify(waiting.flat())}`);
      for (const { attempts, endpointId, id } of waiting.flat()) {
        if (attempts.length >= 2) await post(`${url}/v1/alerts/${id}/resend`, { endpointIds: [endpointId] }, 202);
      }
      await sleep(RESENT_EVERY_MS);
    }
  }

  /** How long after their instants alerts were told that time alone made, where nothing failed. */
  #delays(told: ReadonlyMap<string, Told>): { wrong: string[]; figures: Record<string, number> } {
    const wrong: string[] = [];
    const delays: number[] = [];
    const received: number[] = [];
    for (const [id, { alert, publishedAt }] of told) {
      const quiet = this.#quiets.find(({ from, to }) => alert.at >= from && alert.at < to);
      if (alert.cause !== 'decay' || quiet === undefined) continue;
      const delay = publishedAt - alert.at;
      delays.push(delay);
      received.push((this.#receivers[0]!.received.get(id)?.receivedAt ?? Infinity) - alert.at);
      if (delay < 0) wrong.push(`${id} of ${alert.accountId} was told ${-delay} ms before its instant`);
      if (delay > TOLD_WITHIN_MS && quiet.pauseMs <= PAUSE_MS_MAX)
        wrong.push(`${id} of ${alert.accountId} was told ${delay} ms after its instant`);
    }
    if (delays.length === 0) wrong.push('no alert was made by time alone while nothing failed');
    delays.sort((a, b) => a - b);
    received.sort((a, b) => a - b);
    return {
      wrong: wrong.slice(0, 5),
      figures: {
        'alerts by time alone in quiet times': delays.length,
        'told after, median ms': delays[delays.length >> 1] ?? NaN,
        'told after, most ms': delays.at(-1) ?? NaN,
        'received after, median ms': received[received.length >> 1] ?? NaN,
        'received after, most ms': received.at(-1) ?? NaN,
        'this process paused, most ms': Math.max(...this.#quiets.map(({ pauseMs }) => pauseMs)),
      },
    };
  }
}

const FAULTS = ['aggregator killed', 'notifier killed', 'broker bounced', 'partitions moved', 'receiver restarted'] as const;

interface Delivery {
  readonly id: string;
  readonly endpointId: string;
  readonly attempts: readonly unknown[];
}

async function pendingOf(url: string, endpointId: string): Promise<Delivery[]> {
  const { data } = (await get(`${url}/v1/endpoints/${endpointId}/deliveries?state=pending&limit=50`)) as { data: Delivery[] };
  return data;
}

async function post(address: string, body: unknown, wanted: number): Promise<void> {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  const response = await fetch(address, { method: 'POST', headers, body: JSON.stringify(body) });
  if (response.status !== wanted) throw new Error(`POST ${address}: ${response.status} ${await response.text()}`);
}

async function get(address: string): Promise<unknown> {
  const response = await fetch(address, { headers: { authorization: `Bearer ${KEY}` } });
  if (response.status !== 200) throw new Error(`GET ${address}: ${response.status} ${await response.text()}`);
  return response.json();
}
