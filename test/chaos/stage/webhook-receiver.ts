import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AlertType } from '@touchstone/engine';
import { Webhook } from 'standardwebhooks';
import type { Random } from '../../support/random.ts';

/** How a receiver answers a message it has taken: as it should, by an error, or not at all. */
export type Mood = 'well' | 'error' | 'silent';

/** A message as it came first. */
export interface Received {
  readonly receivedAt: number;
  readonly accountId: string;
  readonly type: AlertType;
  /** As the body says it, epoch ms. */
  readonly at: number;
}

interface ReceiverOptions {
  readonly name: string;
  readonly secret: string;
  /** What becomes of a message that comes for the first time. When it comes again, it is taken: who fails twice is left alone for minutes. */
  readonly mood: () => Mood;
}

/** A subscriber of alerts as the documents ask for: it checks signatures with the library of Standard Webhooks, and drops repeated ids. */
export class WebhookReceiver {
  readonly name: string;
  readonly secret: string;
  /** By webhook-id. */
  readonly received = new Map<string, Received>();
  readonly counts = { repeated: 0, error: 0, silent: 0, restarts: 0 };
  /** What must not be, one line each. */
  readonly wrong: string[] = [];
  readonly #mood: () => Mood;
  readonly #seen = new Set<string>();
  #server: Server | null = null;
  #port = 0;

  constructor({ mood, name, secret }: ReceiverOptions) {
    this.name = name;
    this.secret = secret;
    this.#mood = mood;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/${this.name}`;
  }

  async open(): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response));
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }

  /** Whoever writes to it meanwhile is refused, or breaks off. */
  async restart(awayMs: number): Promise<void> {
    this.counts.restarts++;
    await this.close();
    await sleep(awayMs);
    await this.open();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A message that breaks off was not received.
    const body = await text(request).catch(() => null);
    if (body === null) return;
    const id = String(request.headers['webhook-id']);
    try {
      new Webhook(this.secret).verify(body, request.headers as Record<string, string>);
    } catch (error) {
      this.wrong.push(`${this.name} received ${id} with a signature that is not right: ${String(error)}`);
    }
    const mood = this.#seen.has(id) ? 'well' : this.#mood();
    this.#seen.add(id);
    if (mood !== 'well') this.counts[mood]++;
    if (mood === 'error') response.writeHead(500).end();
    if (mood !== 'well') return;
    if (this.received.has(id)) this.counts.repeated++;
    else this.received.set(id, { receivedAt: Date.now(), ...contentOf(body) });
    response.writeHead(204).end();
  }
}

function contentOf(body: string): Pick<Received, 'accountId' | 'at' | 'type'> {
  const { data, timestamp, type } = JSON.parse(body) as { type: AlertType; timestamp: string; data: { accountId: string } };
  return { type, at: Date.parse(timestamp), accountId: data.accountId };
}

/** Mostly well, and never so bad for so long that it is left alone. */
export function flakyMood(random: Random): () => Mood {
  let badInARow = 0;
  return () => {
    const isBad = badInARow < 2 && random.chance(0.15);
    badInARow = isBad ? badInARow + 1 : 0;
    if (!isBad) return 'well';
    return random.chance(0.15) ? 'silent' : 'error';
  };
}
