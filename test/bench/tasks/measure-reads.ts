import type { Answer } from '../load/lane.ts';
import { assertAccepted } from '../load/lane.ts';
import { sendByClock, type Flow, type FlowTimes } from '../load/open-loop.ts';
import { createRandom } from '../workload/random.ts';
import { bodyOf, itemOf, requestOf } from '../workload/requests.ts';
import { accountIdOf, Traffic, type World } from '../workload/traffic.ts';
import { ZipfRanks } from '../workload/zipf.ts';

const TOUCHES_PER_REQUEST = 50;
const READ_CONNECTIONS = 64;
const LIST_CONNECTIONS = 8;
const WRITE_CONNECTIONS = 8;

export interface ReadsArgs extends World {
  readonly port: number;
  readonly key: string;
  /** Touches written beside the reads; 0 for none. */
  readonly touchesPerSecond: number;
  /** Of one account each, those with more touches more often. */
  readonly readsPerSecond: number;
  /** Of the first page of 50 by score. */
  readonly listsPerSecond: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

export interface ReadsRun {
  readonly reads: FlowTimes | null;
  readonly lists: FlowTimes | null;
  readonly writes: FlowTimes | null;
  /** Of an answer to one account, the mean. */
  readonly bodyBytes: number;
}

/** Reads accounts and leaderboards at steady rates while touches are written. */
export async function measureReads(args: ReadsArgs): Promise<ReadsRun> {
  let bodyBytes = 0;
  let answers = 0;
  const get = (path: string): Buffer => Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${args.key}\r\n\r\n`);
  const ranks = new ZipfRanks(args.accounts);
  const random = createRandom(args.seed);
  const list = get('/v1/accounts?limit=50');
  const flows: Record<'reads' | 'lists' | 'writes', Flow> = {
    reads: {
      perSecond: args.readsPerSecond,
      connections: READ_CONNECTIONS,
      next: () => get(`/v1/accounts/${accountIdOf(ranks.at(random()))}`),
      check(answer) {
        assertFound(answer);
        bodyBytes += Buffer.byteLength(answer.body);
        answers++;
      },
    },
    lists: { perSecond: args.listsPerSecond, connections: LIST_CONNECTIONS, next: () => list, check: assertFound },
    writes: {
      perSecond: args.touchesPerSecond / TOUCHES_PER_REQUEST,
      connections: WRITE_CONNECTIONS,
      next: writesOf(args),
      check: assertAccepted,
    },
  };
  const names = (['reads', 'lists', 'writes'] as const).filter((name) => flows[name].perSecond > 0);
  const times = await sendByClock(
    names.map((name) => flows[name]),
    args,
  );
  const found = new Map(names.map((name, i) => [name, times[i]!]));
  return {
    reads: found.get('reads') ?? null,
    lists: found.get('lists') ?? null,
    writes: found.get('writes') ?? null,
    bodyBytes: answers === 0 ? 0 : Math.round(bodyBytes / answers),
  };
}

function writesOf(args: ReadsArgs): () => Buffer {
  // Ids of its own: each run writes touches that none before has.
  const traffic = new Traffic({ ...args, seed: (Date.now() & 0x7fffffff) + 1 });
  return () => {
    const now = Date.now();
    return requestOf(
      args.key,
      'array',
      bodyOf(
        'array',
        Array.from({ length: TOUCHES_PER_REQUEST }, () => itemOf(traffic.next(now))),
      ),
    );
  };
}

function assertFound({ body, status }: Answer): void {
  if (status !== 200) throw new Error(`a read was answered ${status}: ${body.slice(0, 500)}`);
}
