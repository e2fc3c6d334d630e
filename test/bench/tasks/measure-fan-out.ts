import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from '../figures.ts';
import { assertAccepted, Lane } from '../load/lane.ts';
import { readMetrics } from '../load/server-metrics.ts';
import { bodyOf, requestOf } from '../workload/requests.ts';

const ACCOUNT = Buffer.from('"accountId":"fan-out-');
const NUMBER_DIGITS = 8;
/** Connections that are opened at once: a burst of all would be dropped by the kernel's queue. */
const OPENED_AT_ONCE = 50;
const SETTLE_MS = 3000;
const LAST_EVENTS_MS = 20_000;

export interface FanOutArgs {
  readonly port: number;
  readonly key: string;
  readonly clients: number;
  /** Each of an account of its own, so that each is an event. */
  readonly touchesPerSecond: number;
  readonly seconds: number;
  /** Tells the accounts of one run from those of another. */
  readonly run: number;
}

export interface FanOutRun {
  /** Milliseconds from sending a touch until the last of the clients has its score. */
  readonly last: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Milliseconds until the first one has. */
  readonly first: { readonly p50: number; readonly p99: number };
  readonly bytesPerClient: number;
  /** CPU of the server for an event at a client, with all else that it does for the touch. */
  readonly microsPerDelivery: number;
  readonly serverCorePercent: number;
}

/** Many readers of GET /v1/stream, each of which gets every score. */
export async function measureFanOut(args: FanOutArgs): Promise<FanOutRun> {
  const { clients, key, port, run, seconds, touchesPerSecond } = args;
  const url = `http://127.0.0.1:${port}`;
  const total = Math.round(touchesPerSecond * seconds);
  const sentAt = new Float64Array(total);
  const counts = new Uint16Array(total);
  const first: number[] = [];
  const last: number[] = [];

  function take(number: number): void {
    const at = number - run * 1_000_000;
    if (at < 0 || at >= total) return;
    const count = ++counts[at]!;
    if (count === 1) first.push(performance.now() - sentAt[at]!);
    if (count === clients) last.push(performance.now() - sentAt[at]!);
  }

  const before = await readMetrics(url);
  const sockets = await openStreams(args, take);
  await sleep(SETTLE_MS);
  const idle = await readMetrics(url);

  const lane = await Lane.open(port);
  const startedAt = performance.now();
  let sent = 0;
  const queue: Buffer[] = [];
  let working: Promise<void> | null = null;
  async function work(): Promise<void> {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) assertAccepted(await lane.send(next));
    working = null;
  }
  while (sent < total) {
    await sleep(10);
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) * touchesPerSecond) / 1000));
    const items: unknown[] = [];
    for (; sent < due; sent++) {
      sentAt[sent] = performance.now();
      items.push({ accountId: `fan-out-${(run * 1_000_000 + sent).toString().padStart(NUMBER_DIGITS, '0')}`, kind: 'web_visit' });
    }
    if (items.length === 0) continue;
    queue.push(requestOf(key, 'array', bodyOf('array', items)));
    working ??= work();
    // A request that failed is no longer waited for by anybody else.
    await Promise.race([working, sleep(0)]);
  }
  const deadline = performance.now() + LAST_EVENTS_MS;
  while (last.length < total && performance.now() < deadline) await sleep(20);
  const after = await readMetrics(url);
  const wallSeconds = (performance.now() - startedAt) / 1000;
  if (last.length < total) throw new Error(`${total - last.length} of ${total} touches never reached all clients`);
  lane.close();
  for (const socket of sockets) socket.destroy();
  const cpuSeconds = after.cpuSeconds - idle.cpuSeconds;
  return {
    last: { p50: quantile(last, 0.5), p99: quantile(last, 0.99), max: quantile(last, 1) },
    first: { p50: quantile(first, 0.5), p99: quantile(first, 0.99) },
    bytesPerClient: (idle.residentBytes - before.residentBytes) / clients,
    microsPerDelivery: (cpuSeconds * 1e6) / (total * clients),
    serverCorePercent: (100 * cpuSeconds) / wallSeconds,
  };
}

async function openStreams({ clients, key, port }: FanOutArgs, take: (number: number) => void): Promise<Socket[]> {
  const request = `GET /v1/stream?events=score HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${key}\r\nAccept: text/event-stream\r\n\r\n`;
  const sockets: Socket[] = [];
  while (sockets.length < clients) {
    const opening = Array.from({ length: Math.min(OPENED_AT_ONCE, clients - sockets.length) }, async () => {
      const socket = connect(port, '127.0.0.1');
      socket.setNoDelay(true);
      await once(socket, 'connect');
      socket.write(request);
      const [head] = (await once(socket, 'data')) as [Buffer];
      if (!head.toString('latin1').startsWith('HTTP/1.1 200')) throw new Error(`a stream was answered ${head.toString()}`);
      readNumbers(socket, take);
      return socket;
    });
    sockets.push(...(await Promise.all(opening)));
  }
  return sockets;
}

/** Finds the accounts in what arrives without parsing it: a generator that parses a thousand streams would be what is measured. */
function readNumbers(socket: Socket, take: (number: number) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (;;) {
      const found = bytes.indexOf(ACCOUNT, from);
      if (found < 0 || found + ACCOUNT.length + NUMBER_DIGITS > bytes.length) break;
      from = found + ACCOUNT.length;
      take(Number(bytes.toString('latin1', from, from + NUMBER_DIGITS)));
    }
    rest = bytes.subarray(Math.max(from, bytes.length - ACCOUNT.length - NUMBER_DIGITS));
  });
}
