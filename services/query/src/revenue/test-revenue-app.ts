import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultModel, LedgerSet, scoringModelSchema, type ScoringModel } from '@touchstone/engine';
import { DEFAULT_SETTINGS } from '@touchstone/kpis';
import { createHttpApp, createLogger, createMetrics, type Caller, type Metrics } from '@touchstone/runtime';
import { openStore } from '@touchstone/store';
import type { QueryOptions } from '../query-options.ts';
import { registerRevenueRoutes } from './register-revenue.ts';
import { accountOf, Deals, leadOf, opportunityOf, qualificationOf, stageOf, touchOf } from './test-deals.ts';

/** The routes on a store that knows of four opportunities, and what came before them. */

const CALLERS: ReadonlyMap<string, Caller> = new Map([['sk_read', { keyId: 'r', kind: 'secret', scopes: new Set(['read']) }]]);
const NOW = Date.parse('2026-04-16T00:00:00Z');
export const QUARTER = 'from=2026-01-01T00:00:00Z&to=2026-04-01T00:00:00Z';
const instant = (text: string): number => Date.parse(text);

export const MODEL = scoringModelSchema.parse({
  ...defaultModel,
  version: 'm2',
  stages: [{ id: 'aware' }, { id: 'engaged', name: 'Engaged', metrics: [{ metric: 'score', atLeast: 50 }] }],
  qualification: { atLeast: 1, of: [{ metric: 'touches.30d', atLeast: 2 }] },
});

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly json: Record<string, unknown>;
}

export interface RevenueApp {
  readonly metrics: Metrics;
  /** Stores further facts. */
  readonly save: Deals['save'];
  /** The model in force from now on; answers that are kept stay for a while. */
  useModel(model: ScoringModel): void;
  get(url: string, headers?: Record<string, string>): Promise<Answer>;
  close(): Promise<void>;
}

export async function openRevenueApp(): Promise<RevenueApp> {
  const directory = mkdtempSync(join(tmpdir(), 'touchstone-revenue-'));
  const store = await openStore({ kind: 'chdb', directory });
  await store.migrate();
  const metrics = createMetrics({ ofProcess: false });
  const app = await createHttpApp({
    logger: createLogger({ service: 'test', level: 'silent' }),
    metrics,
    keys: { verify: (token) => CALLERS.get(token) ?? null },
    checkAnswers: true,
  });
  let model = MODEL;
  const options = {
    store,
    metrics,
    readiness: () => ({ ready: true, detail: '' }),
    clock: () => NOW,
    ledgers: new LedgerSet(),
    kpiSettings: { ...DEFAULT_SETTINGS, qualifiedBy: 'mqa' as const },
    modelStatus: () => ({ model, takeover: new Map<number, number>(), rescoringTo: null }),
  };
  registerRevenueRoutes(app, options as unknown as QueryOptions);
  await app.ready();
  const deals = new Deals(store);
  await deals.save(
    [
      accountOf('acme', { targetList: true, tier: '1', industry: 'steel' }),
      accountOf('blue', { targetList: false, tier: '2' }),
      // Won with four touches in the 90 days before its close: two of spring, one of autumn, one of none; a meeting is no marketing.
      touchOf('acme', '2025-06-01T00:00:00Z', { campaignId: 'ancient' }),
      touchOf('acme', '2026-01-10T00:00:00Z', { campaignId: 'spring', kind: 'ad_impression', contactId: 'ada' }),
      touchOf('acme', '2026-01-20T00:00:00Z', { campaignId: 'autumn', kind: 'ad_click' }),
      touchOf('acme', '2026-02-01T00:00:00Z', { campaignId: 'spring', contactId: 'ada' }),
      touchOf('acme', '2026-02-20T00:00:00Z'),
      touchOf('acme', '2026-01-05T00:00:00Z', { kind: 'meeting' }),
      leadOf('l1', 'acme', '2026-01-20T00:00:00Z', '2026-01-25T00:00:00Z'),
      opportunityOf('o1', 'acme', '2026-02-05T00:00:00Z', {
        stage: 'won',
        amount: 1000,
        closedAt: instant('2026-03-01T00:00:00Z'),
        outcome: 'won',
        source: 'Webinar',
        owner: 'eve',
        updatedAt: instant('2026-03-01T00:00:00Z'),
      }),
      opportunityOf('o1', 'acme', '2026-02-05T00:00:00Z', { stage: 'proposal', updatedAt: instant('2026-02-10T00:00:00Z') }),
      // Nobody had touched it.
      opportunityOf('o2', 'blue', '2026-02-10T00:00:00Z', {
        stage: 'won',
        amount: 500,
        closedAt: instant('2026-03-10T00:00:00Z'),
        outcome: 'won',
        updatedAt: instant('2026-03-10T00:00:00Z'),
      }),
      opportunityOf('o3', 'blue', '2026-02-12T00:00:00Z', {
        amount: 70,
        closedAt: instant('2026-03-11T00:00:00Z'),
        outcome: 'lost',
        updatedAt: instant('2026-03-11T00:00:00Z'),
      }),
      opportunityOf('o4', 'blue', '2026-03-12T00:00:00Z', { stage: 'prospect', amount: 30 }),
    ],
    [
      // March: three accounts, one of them twice, two up to the 16th. April so far: three.
      qualificationOf('acme', 1, '2026-03-02T00:00:00Z', { modelVersion: 'm1' }),
      qualificationOf('acme', 2, '2026-03-05T00:00:00Z', { direction: 'down', type: 'account.mqa.exited' }),
      qualificationOf('acme', 3, '2026-03-09T00:00:00Z', { modelVersion: 'm1' }),
      qualificationOf('blue', 1, '2026-03-15T23:59:59.999Z', { modelVersion: 'm1' }),
      qualificationOf('cyan', 1, '2026-03-16T00:01:00Z', { modelVersion: 'm2' }),
      qualificationOf('dune', 1, '2026-04-01T00:00:00Z', { modelVersion: 'm2' }),
      qualificationOf('echo', 1, '2026-04-02T00:00:00Z', { modelVersion: 'm2' }),
      qualificationOf('acme', 4, '2026-04-10T00:00:00Z', { direction: 'down', type: 'account.mqa.exited' }),
      qualificationOf('acme', 5, '2026-04-11T00:00:00Z', { modelVersion: 'm2' }),
      stageOf('acme', 1, '2025-12-20T00:00:00Z', 'aware'),
      stageOf('acme', 2, '2026-01-30T00:00:00Z', 'engaged'),
      stageOf('blue', 1, '2026-01-05T00:00:00Z', 'aware'),
      stageOf('cyan', 1, '2026-02-01T00:00:00Z', 'former'),
    ],
  );
  return {
    metrics,
    save: (...records) => deals.save(...records),
    useModel(next) {
      model = next;
    },
    async get(url, headers = {}) {
      const { body, statusCode } = await app.inject({ method: 'GET', url, headers: { authorization: 'Bearer sk_read', ...headers } });
      return { status: statusCode, body, json: headers['accept'] === 'text/csv' ? {} : (JSON.parse(body) as Record<string, unknown>) };
    },
    async close() {
      await app.close();
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/** Of each item of a list what is at these paths, as in `credit.linear`. */
export function told(list: unknown, ...paths: readonly string[]): unknown[][] {
  return (list as readonly unknown[]).map((item) => paths.map((path) => at(item, path)));
}

export function at(item: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown> | null)?.[name], item);
}

export function cursorOf({ json }: Answer): string {
  return json['nextCursor'] as string;
}
