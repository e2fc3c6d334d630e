import { Command, Option } from 'commander';
import { isRecord } from '../api-client.ts';
import { figureOf, recordsOf, textOf, timeOf } from '../answers.ts';
import { formatTable } from '../terminal/table.ts';
import { connect, withConnection, type ConnectionOptions } from './connection.ts';

/** Lead velocity, journeys, influence and attribution in the terminal. */

interface Flags extends ConnectionOptions {
  readonly json?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly month?: string;
  readonly timeZone?: string;
  readonly qualifiedBy?: string;
  readonly segmentBy?: string;
  readonly journey?: string;
  readonly by?: string;
  readonly basis?: string;
  readonly model?: string;
  readonly currency?: string;
}

const RIGHT = 'right' as const;
const DIMENSIONS = ['tier', 'industry', 'targetList', 'owner', 'source'];
const MODELS = ['first', 'last', 'linear', 'u_shaped', 'w_shaped', 'time_decay'];

function command(name: string, path: string, lines: (answer: Record<string, unknown>, flags: Flags) => string[]): Command {
  const made = withConnection(new Command(name).option('--json', 'print the answer as JSON'));
  return made.action(async (flags: Flags) => {
    const query = new URLSearchParams();
    const { basis, by, currency, from, journey, model, month, qualifiedBy, segmentBy, timeZone, to } = flags;
    const given = { basis, by, currency, from, journey, model, month, qualifiedBy, segmentBy, timeZone, to };
    for (const [parameter, value] of Object.entries(given)) if (value !== undefined) query.set(parameter, value);
    const answer = await readWhole(path, query, flags);
    const told = flags.json === true ? [JSON.stringify(answer, null, 2)] : lines(answer, flags);
    process.stdout.write(`${told.join('\n')}\n`);
  });
}

/** A list that comes by pages is read to its end, so that what is shown adds up to the whole. */
async function readWhole(path: string, query: URLSearchParams, flags: Flags): Promise<Record<string, unknown>> {
  const read = async () => recordOf(await connect(flags).expect('GET', query.size === 0 ? path : `${path}?${query.toString()}`));
  let answer = await read();
  while (typeof answer['nextCursor'] === 'string') {
    query.set('cursor', answer['nextCursor']);
    const next = await read();
    answer = { ...next, data: [...recordsOf(answer), ...recordsOf(next)] };
  }
  return answer;
}

function withPeriod(made: Command): Command {
  return made
    .option('--from <time>', 'beginning of the period, as in 2026-03-01T00:00:00Z; 90 days before its end if not given')
    .option('--to <time>', 'end of the period');
}

export function lvrCommand(): Command {
  return command('lvr', '/v1/lvr', lvrLines)
    .summary('lead velocity rate: this month against the last')
    .description('Shows the growth of qualified leads: the month so far against the last one, against the same point of it, and projected.')
    .option('--month <month>', 'as in 2026-03; the current one if not given')
    .option('--time-zone <zone>', 'whose months are meant, as in Europe/Berlin')
    .addOption(new Option('--qualified-by <who>', 'who says that a lead is qualified').choices(['crm', 'mqa', 'either', 'both']))
    .addOption(new Option('--segment-by <dimension>', 'a line for each value').choices(DIMENSIONS.slice(0, -1)));
}

function lvrLines(answer: Record<string, unknown>): string[] {
  const whole = { segment: 'all', ...answer };
  const rows = [whole, ...recordsOf({ data: answer['segments'] })].map((one: Record<string, unknown>) => [
    textOf(one['segment']) || '(none)',
    figureOf(one['thisMonth'], 0),
    figureOf(one['lastMonth'], 0),
    figureOf(one['lastMonthToPoint'], 0),
    percentOf(one['value']),
    percentOf(one['paced']),
    percentOf(one['projected']),
  ]);
  const titles = ['so far', 'last month', 'to the same point', 'growth', 'paced', 'projected'];
  const reasons = [...new Set(Object.values(recordOf(answer['reasons'])).filter((reason) => typeof reason === 'string'))];
  return [
    `Qualified leads of ${textOf(answer['month'])} (${textOf(answer['timeZone'])}), by ${textOf(answer['qualifiedBy'])}:`,
    '',
    ...formatTable([{ title: 'segment' }, ...numeric(titles)], rows),
    ...reasons.map((reason) => `Not told: ${reason}.`),
  ];
}

export function journeyCommand(): Command {
  return withPeriod(command('journey', '/v1/journey', journeyLines))
    .summary('what flows through the stages, and where it stays')
    .description(
      'Shows per stage: balance, flow, conversion and days, of accounts in the stages of the model or of opportunities in those of the CRM.',
    )
    .addOption(new Option('--journey <of>', 'whose').choices(['accounts', 'opportunities']))
    .addOption(new Option('--by <dimension>', 'compared by').choices(DIMENSIONS));
}

function journeyLines(answer: Record<string, unknown>): string[] {
  const rows = (group: string, data: unknown): string[][] =>
    recordsOf({ data }).map((one) => [
      group,
      textOf(one['name']) || textOf(one['stage']),
      ...['balanceAtStart', 'entered', 'left', 'balance'].map((figure) => figureOf(one[figure], 0)),
      typeof one['conversion'] === 'number' ? percentOf(one['conversion'] * 100) : '',
      figureOf(one['meanDays']),
      figureOf(one['medianDays']),
      figureOf(one['stalled'], 0),
    ]);
  const all = [
    ...rows('', answer['data']),
    ...recordsOf({ data: answer['groups'] }).flatMap((one) => rows(textOf(one['group']) || '(none)', one['data'])),
  ];
  const { opportunities, reason } = recordOf(answer['unstaged']);
  const unstaged = typeof reason === 'string' ? [`Left out: ${figureOf(opportunities, 0)}, as ${reason}.`] : [];
  if (all.length === 0) return ['Nothing has been in a stage yet.', ...unstaged];
  const titles = ['at start', 'entered', 'left', 'at end', 'converted', 'mean days', 'median days', 'stalled'];
  return [periodOf(answer), '', ...formatTable([{ title: 'group' }, { title: 'stage' }, ...numeric(titles)], all), ...unstaged];
}

export function influenceCommand(): Command {
  return withPeriod(command('influence', '/v1/influence', influenceLines))
    .summary('pipeline and revenue that marketing had a part in')
    .description('Shows which opportunities marketing influenced, got a response in, and sourced, by touches before they were made.')
    .addOption(new Option('--by <dimension>', 'compared by').choices(DIMENSIONS))
    .option('--currency <code>', 'what amounts are told in, as in EUR');
}

function influenceLines(answer: Record<string, unknown>): string[] {
  const currency = textOf(answer['currency']);
  const rows = ['pipeline', 'revenue'].flatMap((basis) => {
    const whole = recordOf(answer[basis]);
    return [{ group: '', ...whole }, ...recordsOf({ data: whole['groups'] })].flatMap((one: Record<string, unknown>) =>
      ['influenced', 'responded', 'sourced'].map((influence) => {
        const part = recordOf(one[influence]);
        return [
          basis,
          one['group'] === null ? '(none)' : textOf(one['group']),
          influence,
          typeof part['reason'] === 'string'
            ? part['reason']
            : `${figureOf(part['opportunities'], 0)} of ${figureOf(one['opportunities'], 0)}`,
          figureOf(part['amount'], 2),
          percentOf(part['percentOfAmount']),
        ];
      }),
    );
  });
  const columns = [
    { title: 'of' },
    { title: 'group' },
    { title: 'marketing' },
    ...numeric(['opportunities', `amount ${currency}`, 'share']),
  ];
  return [periodOf(answer), '', ...formatTable(columns, rows)];
}

export function attributionCommand(): Command {
  return withPeriod(command('attribution', '/v1/attribution', attributionLines))
    .summary('who gets the credit of opportunities')
    .description('Shows the credit of opportunities by campaign, channel, creative, kind of touch or role, under each model.')
    .addOption(new Option('--basis <basis>', 'opportunities made, or won').choices(['pipeline', 'revenue']))
    .addOption(new Option('--by <dimension>', 'what of the touches').choices(['campaign', 'channel', 'creative', 'kind', 'role']))
    .addOption(new Option('--model <model>', 'by whose credit lines are ordered, and amounts told').choices(MODELS))
    .option('--currency <code>', 'what amounts are told in, as in EUR');
}

function attributionLines(answer: Record<string, unknown>, { model = 'linear' }: Flags): string[] {
  const rows = recordsOf(answer).map((line) => [
    line['isAttributed'] === true ? textOf(line['key']) || '(none)' : 'unattributed',
    figureOf(line['touches'], 0),
    figureOf(line['opportunities'], 0),
    ...MODELS.map((one) => figureOf(recordOf(line['credit'])[one], 2)),
    figureOf(recordOf(line['amount'])[model], 2),
  ]);
  if (rows.length === 0) return ['There are no opportunities in the period.'];
  const titles = ['touches', 'opportunities', ...MODELS, `${textOf(answer['currency'])} by ${model}`];
  return [periodOf(answer), '', ...formatTable([{ title: textOf(answer['by']) }, ...numeric(titles)], rows)];
}

function periodOf(answer: Record<string, unknown>): string {
  return `${timeOf(answer['from'])} to ${timeOf(answer['to'])}:`;
}

function numeric(titles: readonly string[]): { title: string; align: typeof RIGHT }[] {
  return titles.map((title) => ({ title, align: RIGHT }));
}

function percentOf(value: unknown): string {
  return typeof value === 'number' ? `${figureOf(value, 1)} %` : '';
}

function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}
