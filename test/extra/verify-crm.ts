import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../support/run-cli.ts';
import { startServer, type Server } from '../support/start-server.ts';
import { until } from '../support/settle.ts';

/**
 * Imports a CRM export (accounts.csv and sales_pipeline.csv in a folder) into a fresh server by the mappings that come with the program, and holds
 * revenue by sector and month against a recomputation from the files that shares no code with any of it: `node test/extra/verify-crm.ts FOLDER`.
 */

const STORED_WITHIN_MS = 120_000;
const TYPOS: Readonly<Record<string, string>> = { technolgy: 'technology' };

export interface CrmVerdict {
  readonly wrong: readonly string[];
  readonly cells: number;
}

interface Imported {
  readonly items: number;
  readonly accepted: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly mended: Readonly<Record<string, number>>;
}

interface Kpi {
  readonly value: number | null;
  readonly figures: Readonly<Record<string, number | null>>;
  readonly segments: readonly {
    readonly segment: string | null;
    readonly value: number | null;
    readonly figures: Readonly<Record<string, number | null>>;
  }[];
}

/** Revenue and deals won by month and sector; the sector of a deal of nobody known is ''. */
type Cells = Map<string, { revenue: number; deals: number }>;

export async function verifyCrm(folder: string, print: (line: string) => void): Promise<CrmVerdict> {
  const directory = mkdtempSync(join(tmpdir(), 'touchstone-crm-'));
  const server = await startServer({ data: join(directory, 'data') });
  try {
    const [accounts, pipeline] = ['accounts.csv', 'sales_pipeline.csv'].map((name) => rowsOf(readFileSync(join(folder, name), 'utf8'))) as [
      Row[],
      Row[],
    ];
    const wrong: string[] = [];
    for (const [file, mapping, rows] of [
      ['accounts.csv', 'crm-accounts', accounts],
      ['sales_pipeline.csv', 'crm-opportunities', pipeline],
    ] as const) {
      const state = ['--state', join(directory, `${file}.state`), '--rejected', join(directory, `${file}.rejected`)];
      const printed = await runCli(server, 'import', join(folder, file), '--mapping', mapping, '--json', '--quiet', ...state);
      const { accepted, items, mended, rejected } = JSON.parse(printed) as Imported;
      print(`${file}: ${accepted} of ${rows.length} rows; put right: ${JSON.stringify(mended)}`);
      if (accepted !== rows.length || items !== rows.length)
        wrong.push(`${file}: ${accepted} rows were taken of ${rows.length}: ${JSON.stringify(rejected)}`);
    }
    const expected = recompute(accounts, pipeline);
    const found = await ask(server, expected);
    for (const [cell, { deals, revenue }] of expected) {
      const told = found.get(cell);
      print(`${cell.padEnd(28)} ${String(revenue).padStart(9)} of ${deals} deals`);
      if (told?.revenue !== revenue || told.deals !== deals)
        wrong.push(`${cell}: ${revenue} of ${deals} deals was told as ${JSON.stringify(told)}`);
    }
    for (const cell of found.keys()) if (!expected.has(cell)) wrong.push(`${cell} was told and is not in the files`);
    return { wrong, cells: expected.size };
  } finally {
    await server.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

type Row = Readonly<Record<string, string>>;

/** Tables without quotes. */
function rowsOf(text: string): Row[] {
  const [header = '', ...lines] = text.split(/\r?\n/).filter((line) => line !== '');
  const names = header.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, at) => [names[at]!, cell])));
}

function recompute(accounts: readonly Row[], pipeline: readonly Row[]): Cells {
  const sectors = new Map(accounts.map((row) => [row['account'], TYPOS[row['sector']!] ?? row['sector']!]));
  const cells: Cells = new Map();
  const won = pipeline.filter((row) => row['deal_stage'] === 'Won');
  for (const row of won.toSorted((one, other) => (one['close_date']! < other['close_date']! ? -1 : 1))) {
    const cell = `${row['close_date']!.slice(0, 7)} ${sectors.get(row['account']) ?? ''}`;
    const before = cells.get(cell) ?? { revenue: 0, deals: 0 };
    cells.set(cell, { revenue: before.revenue + Number(row['close_value']), deals: before.deals + 1 });
  }
  return cells;
}

async function ask(server: Server, expected: Cells): Promise<Cells> {
  const deals = [...expected.values()].reduce((sum, cell) => sum + cell.deals, 0);
  await until(Date.now() + STORED_WITHIN_MS, 'all deals are stored', async () => {
    const all = await server.get<Kpi>('/v1/kpis/revenue?from=2000-01-01T00:00:00Z&to=2100-01-01T00:00:00Z');
    return all.figures['deals'] === deals;
  });
  const cells: Cells = new Map();
  for (const month of new Set([...expected.keys()].map((cell) => cell.slice(0, 7)))) {
    const from = `${month}-01T00:00:00Z`;
    const next = new Date(from);
    next.setUTCMonth(next.getUTCMonth() + 1);
    const told = await server.get<Kpi>(`/v1/kpis/revenue?from=${from}&to=${next.toISOString()}&segmentBy=industry`);
    for (const { figures, segment, value } of told.segments) {
      // A sector of which nothing was won in the month may be told for the month before.
      if (figures['deals'] === 0) continue;
      cells.set(`${month} ${segment ?? ''}`, { revenue: value ?? NaN, deals: figures['deals'] ?? NaN });
    }
  }
  return cells;
}

if (import.meta.main) {
  const { cells, wrong } = await verifyCrm(process.argv[2] ?? '.', console.log);
  for (const line of wrong) console.error(line);
  console.log(`${cells} cells, ${wrong.length} wrong`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}
