import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fact } from '@touchstone/engine';
import { medianOf } from '@touchstone/kpis';
import { openStore, type OpportunityDimension, type OpportunityOutcomes, type Store, type StoredFact } from '@touchstone/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateCrm } from '../support/generate-crm.ts';

/**
 * Win rate and cycle days of a CRM's tables against a recomputation that shares nothing with the store: by sector, product, agent and month, every cell.
 *
 * The tables are made up here. `CRM_TABLES` names a directory with real ones, accounts.csv and sales_pipeline.csv, of the form of Maven Analytics' "CRM Sales Opportunities".
 */
const root = mkdtempSync(join(tmpdir(), 'touchstone-crm-'));
const directory = process.env['CRM_TABLES'] ?? generateTables(root);

function generateTables(into: string): string {
  const { accounts, pipeline } = generateCrm(11, 3000);
  writeFileSync(join(into, 'accounts.csv'), accounts);
  writeFileSync(join(into, 'sales_pipeline.csv'), pipeline);
  return into;
}

type Row = Readonly<Record<string, string>>;

/** Tables without quotes, which these have none of. */
function readTable(name: string): Row[] {
  const [head = '', ...lines] = readFileSync(join(directory, name), 'utf8').trim().split(/\r?\n/);
  const columns = head.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, at) => [columns[at]!, cell])));
}

const day = (text: string): number | null => (text === '' ? null : Date.parse(`${text}T00:00:00Z`));

/** Deals without an account are put into one of their own: their agent and product count all the same. */
const accountOfDeal = (row: Row): string => row['account'] || `no account ${row['opportunity_id']}`;

function factsOf(accounts: readonly Row[], deals: readonly Row[]): Fact[] {
  const ofAccounts = accounts.map((row): Fact => {
    const unsaid = { employees: null, tier: null, targetList: null, owner: null, parentId: null };
    return {
      type: 'account',
      id: row['account']!,
      updatedAt: 1,
      name: row['account']!,
      domains: [],
      industry: row['sector']!,
      attributes: {},
      ...unsaid,
    };
  });
  const ofDeals = deals.map((row): Fact => {
    const outcome = row['deal_stage'] === 'Won' ? 'won' : row['deal_stage'] === 'Lost' ? 'lost' : null;
    return {
      type: 'opportunity',
      id: row['opportunity_id']!,
      accountId: accountOfDeal(row),
      updatedAt: day(row['close_date']!) ?? day(row['engage_date']!) ?? 1,
      name: null,
      stage: row['deal_stage']!,
      amount: row['close_value'] === '' ? null : Number(row['close_value']),
      currency: 'USD',
      source: row['product']!,
      owner: row['sales_agent']!,
      createdAt: day(row['engage_date']!),
      closedAt: day(row['close_date']!),
      outcome,
    };
  });
  return [...ofAccounts, ...ofDeals];
}

interface Cell {
  readonly won: number;
  readonly lost: number;
  readonly winRate: number;
  readonly meanDays: number;
  readonly medianDays: number;
  readonly revenue: number;
}

function cellOf(deals: readonly Row[]): Cell {
  const won = deals.filter((row) => row['deal_stage'] === 'Won');
  const days = won.map((row) => (day(row['close_date']!)! - day(row['engage_date']!)!) / 86_400_000).toSorted((one, other) => one - other);
  const middle = (days[Math.floor((days.length - 1) / 2)]! + days[Math.floor(days.length / 2)]!) / 2;
  return {
    won: won.length,
    lost: deals.length - won.length,
    winRate: won.length / deals.length,
    meanDays: days.reduce((sum, one) => sum + one, 0) / days.length,
    medianDays: middle,
    revenue: won.reduce((sum, row) => sum + Number(row['close_value']), 0),
  };
}

function toldCell(rows: readonly OpportunityOutcomes[]): Cell {
  const sum = (of: (row: OpportunityOutcomes) => number): number => rows.reduce((all, row) => all + of(row), 0);
  const [won, lost] = [sum((row) => row.won), sum((row) => row.lost)];
  const medianHours = medianOf(rows.flatMap(({ wonHours }) => wonHours)) ?? Number.NaN;
  return {
    won,
    lost,
    winRate: won / (won + lost),
    meanDays: sum((row) => row.wonMs) / won / 86_400_000,
    medianDays: medianHours / 24,
    revenue: sum((row) => row.wonAmount),
  };
}

describe('win rate, cycle days and revenue of CRM tables', () => {
  let store: Store;
  let accounts: Row[] = [];
  let closed: Row[] = [];

  beforeAll(async () => {
    accounts = readTable('accounts.csv');
    const deals = readTable('sales_pipeline.csv');
    closed = deals.filter((row) => row['deal_stage'] === 'Won' || row['deal_stage'] === 'Lost');
    store = await openStore({ kind: 'chdb', directory: join(root, 'store') });
    await store.migrate();
    const facts = factsOf(accounts, deals).map((fact, offset): StoredFact => ({
      partition: 0,
      offset,
      appendedAt: 1_600_000_000_000 + offset,
      fact,
    }));
    const rest = { touches: store.touchRows(0), deadLetters: [], transitions: [] };
    await store.checkpoint([{ partition: 0, offset: facts.length, generation: 'g', facts, ...rest }]);
  });

  afterAll(async () => {
    await store.close();
    rmSync(root, { recursive: true });
  });

  const sectors = (): Map<string, string> => new Map(accounts.map((row) => [row['account']!, row['sector']!]));
  const KEYS: readonly (readonly [OpportunityDimension, (row: Row) => string])[] = [
    ['industry', (row) => sectors().get(row['account']!) ?? ''],
    ['source', (row) => row['product']!],
    ['owner', (row) => row['sales_agent']!],
  ];

  it.each(KEYS)('is that of the tables by %s, of the whole and of every month', async (by, keyOf) => {
    const months = [...new Set(closed.map((row) => row['close_date']!.slice(0, 7)))].toSorted();
    const spans = [['2010-01', '2030-01'] as const, ...months.map((month) => [month, nextMonth(month)] as const)];
    let cells = 0;
    for (const [from, to] of spans) {
      const inSpan = closed.filter((row) => row['close_date']! >= `${from}-01` && row['close_date']! < `${to}-01`);
      const expected = Map.groupBy(inSpan, keyOf);
      const rows = await store.outcomes({ from: day(`${from}-01`)!, to: day(`${to}-01`)!, filters: {}, by });
      const told = Map.groupBy(
        rows.filter(({ lost, won }) => won + lost > 0),
        ({ group }) => group,
      );
      expect([...told.keys()].toSorted()).toEqual([...expected.keys()].toSorted());
      for (const [key, some] of expected) {
        const cell = cellOf(some);
        const near = (value: number): unknown => (Number.isNaN(value) ? Number.NaN : expect.closeTo(value, 6));
        expect(toldCell(told.get(key)!), `${key} from ${from}`).toEqual({
          ...cell,
          meanDays: near(cell.meanDays),
          medianDays: near(cell.medianDays),
          revenue: near(cell.revenue),
        });
        cells++;
      }
    }
    process.stdout.write(`${cells} cells by ${by}, ${closed.length} closed opportunities\n`);
    expect(cells).toBeGreaterThan(30);
  });
});

function nextMonth(month: string): string {
  const [year, number] = month.split('-').map(Number) as [number, number];
  return number === 12 ? `${year + 1}-01` : `${year}-${String(number + 1).padStart(2, '0')}`;
}
