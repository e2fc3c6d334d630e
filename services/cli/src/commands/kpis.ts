import { Command, Option } from 'commander';
import { isRecord } from '../api-client.ts';
import { figureOf, recordsOf, textOf, timeOf } from '../answers.ts';
import { CliError } from '../cli-error.ts';
import { formatTable } from '../terminal/table.ts';
import { connect, withConnection, type ConnectionOptions } from './connection.ts';
import { collect } from './option-values.ts';

interface KpiFlags extends ConnectionOptions {
  readonly from?: string;
  readonly to?: string;
  readonly timeZone?: string;
  readonly currency?: string;
  readonly interval?: string;
  readonly segmentBy?: string;
  readonly filter?: readonly string[];
  readonly json?: boolean;
}

const RIGHT = 'right' as const;

export function kpisCommand(): Command {
  const command = new Command('kpis')
    .summary('the numbers a revenue team is judged by')
    .description(
      'Lists all KPIs of a period beside the period before, or one with its series and segments. Without a period: the month so far.',
    )
    .argument('[name]', 'of one KPI, as in cac')
    .option('--from <time>', 'beginning of the period, as in 2026-03-01T00:00:00Z')
    .option('--to <time>', 'end of the period')
    .option('--time-zone <zone>', 'whose days and months are meant, as in Europe/Berlin')
    .option('--currency <code>', 'what amounts are told in, as in EUR')
    .option('--filter <dimension=value>', 'only these, as in tier=1; any number of times', collect)
    .addOption(new Option('--interval <interval>', 'of one KPI: a line for each').choices(['day', 'week', 'month', 'quarter']))
    .option('--segment-by <dimension>', 'of one KPI: a line for each value, as in tier')
    .option('--json', 'print the answer as JSON')
    .action(showKpis);
  return withConnection(command);
}

async function showKpis(name: string | undefined, flags: KpiFlags): Promise<void> {
  const path = name === undefined ? '/v1/kpis' : `/v1/kpis/${encodeURIComponent(name)}`;
  const query = queryOf(flags).toString();
  const answer = await connect(flags).expect('GET', query === '' ? path : `${path}?${query}`);
  const lines = flags.json === true ? [JSON.stringify(answer, null, 2)] : name === undefined ? listLines(answer) : kpiLines(answer);
  process.stdout.write(`${lines.join('\n')}\n`);
}

function queryOf({ currency, filter = [], from, interval, segmentBy, timeZone, to }: KpiFlags): URLSearchParams {
  const query = new URLSearchParams();
  const given = { from, to, timeZone, currency, interval, segmentBy };
  for (const [name, value] of Object.entries(given)) if (value !== undefined) query.set(name, value);
  for (const pair of filter) {
    const equals = pair.indexOf('=');
    if (equals < 1) throw new CliError(`--filter '${pair}' is not of the form dimension=value.`);
    query.append(`filter.${pair.slice(0, equals)}`, pair.slice(equals + 1));
  }
  return query;
}

function listLines(answer: unknown): string[] {
  const rows = recordsOf(answer).map((kpi) => {
    const [previous, change] = [recordOf(kpi['previous']), recordOf(kpi['change'])];
    return [
      textOf(kpi['name']),
      amountOf(kpi),
      unitOf(kpi),
      figureOf(previous['value'], 2),
      percentOf(change['percent']),
      textOf(kpi['reason']),
    ];
  });
  const columns = [
    { title: 'KPI' },
    { title: 'value', align: RIGHT },
    { title: 'unit' },
    { title: 'before', align: RIGHT },
    { title: 'change', align: RIGHT },
    { title: 'why there is none' },
  ];
  return formatTable(columns, rows);
}

function kpiLines(answer: unknown): string[] {
  const kpi = recordOf(answer);
  const definition = recordOf(kpi['definition']);
  const head = `${textOf(kpi['title'])}: ${amountOf(kpi) || 'none'} ${unitOf(kpi)}, ${timeOf(kpi['from'])} to ${timeOf(kpi['to'])} (${textOf(kpi['timeZone'])})`;
  const figures = Object.entries(recordOf(kpi['figures'])).map(([figure, value]) => `  ${figure}: ${figureOf(value, 2) || 'none'}`);
  const line = (of: string, one: Record<string, unknown>): string[] => [
    of,
    figureOf(one['value'], 2),
    figureOf(one['numerator'], 2),
    figureOf(one['denominator'], 2),
    textOf(one['reason']),
  ];
  const list = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.filter(isRecord) : []);
  const rows = [
    line('period', kpi),
    line('before', recordOf(kpi['previous'])),
    ...list(kpi['series']).map((one) => line(timeOf(one['from']), one)),
    ...list(kpi['segments']).map((one) => line(`${textOf(kpi['segmentBy'])} ${textOf(one['segment']) || '(none)'}`, one)),
  ];
  const columns = [
    { title: 'of' },
    { title: 'value', align: RIGHT },
    { title: 'numerator', align: RIGHT },
    { title: 'denominator', align: RIGHT },
    { title: 'why there is none' },
  ];
  return [head, ...figures, '', ...formatTable(columns, rows), '', textOf(definition['formula'])];
}

function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

function amountOf(kpi: Record<string, unknown>): string {
  return figureOf(kpi['value'], 2);
}

function unitOf({ currency, unit }: Record<string, unknown>): string {
  if (unit === 'percent') return '%';
  if (unit === 'currency_per_day') return `${textOf(currency)}/day`;
  return unit === 'currency' ? textOf(currency) : textOf(unit);
}

function percentOf(value: unknown): string {
  const text = figureOf(value);
  return text === '' ? '' : `${typeof value === 'number' && value > 0 ? '+' : ''}${text} %`;
}
