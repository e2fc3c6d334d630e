import { Command } from 'commander';
import { figureOf, recordsOf, textOf } from '../answers.ts';
import { isRecord } from '../api-client.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { formatCount } from '../terminal/format.ts';
import { formatTable } from '../terminal/table.ts';
import { connect, withConnection, type ConnectionOptions } from './connection.ts';
import { integerBetween } from './option-values.ts';

interface CreativeFlags extends ConnectionOptions {
  readonly campaign?: string;
  readonly compare?: string;
  readonly byCampaign?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly tier?: string;
  readonly sort: string;
  readonly limit: number;
  readonly json?: boolean;
}

export function creativesCommand(): Command {
  const command = new Command('creatives')
    .summary('what campaigns and creatives did')
    .description(
      'Lists creatives with impressions, clicks, click rate and its interval, points and reach; by default of the last 30 days. The account is the unit of the intervals.',
    )
    .option('--campaign <id>', 'of this campaign alone')
    .option('--compare <ids>', 'these creatives of the campaign side by side, separated by commas, each against the first')
    .option('--by-campaign', 'the creatives of each campaign together')
    .option('--from <day>', 'first UTC day, as in 2026-03-01')
    .option('--to <day>', 'last UTC day, included')
    .option('--tier <tier>', 'accounts of this tier alone')
    .option('--sort <field>', 'field to order by; - for descending, as in --sort=-clickRate', '-impressions')
    .option('--limit <n>', 'how many', integerBetween(1, 500), 20)
    .option('--json', 'print the answer as JSON')
    .action(showCreatives);
  return withConnection(command);
}

async function showCreatives(flags: CreativeFlags): Promise<void> {
  if (flags.compare !== undefined && flags.campaign === undefined)
    throw new CliError('--compare needs --campaign.', { exitCode: EXIT.usage });
  const answer = await connect(flags).expect('GET', pathOf(flags));
  const rows = recordsOf(answer);
  const lines = flags.json === true ? [JSON.stringify(answer, null, 2)] : [...tableOf(rows), ...differencesOf(answer)];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function pathOf({ byCampaign, campaign, compare, from, limit, sort, tier, to }: CreativeFlags): string {
  const parameters = new URLSearchParams();
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined) parameters.set(name, value);
  };
  add('campaignId', campaign);
  add('from', from);
  add('to', to);
  add('tier', tier);
  if (compare !== undefined) {
    add('creativeIds', compare);
    return `/v1/creatives/compare?${parameters.toString()}`;
  }
  if (byCampaign === true) add('groupBy', 'campaign');
  add('sort', sort);
  add('limit', String(limit));
  return `/v1/creatives?${parameters.toString()}`;
}

const COLUMNS = [
  { title: 'campaign' },
  { title: 'creative' },
  ...['impressions', 'clicks', 'click rate', 'interval', 'points', 'per account', 'accounts', 'contacts'].map((title) => ({
    title,
    align: 'right' as const,
  })),
];

function tableOf(rows: readonly Record<string, unknown>[]): string[] {
  if (rows.length === 0) return ['No touches with a campaign or a creative in these days.'];
  return formatTable(
    COLUMNS,
    rows.map((row) => [
      textOf(row['campaignId']),
      textOf(row['creativeId']),
      countOf(row['impressions']),
      countOf(row['clicks']),
      ...rateOf(row['clickRate']),
      figureOf(row['points']),
      figureOf(row['pointsPerAccountReached'], 2),
      countOf(row['accountsReached']),
      countOf(row['contactsReached']),
    ]),
  );
}

/** Of a comparison: a line for each creative against the first. */
function differencesOf(answer: unknown): string[] {
  if (!isRecord(answer) || !Array.isArray(answer['differences'])) return [];
  return answer['differences'].filter(isRecord).map((one) => {
    const [value, interval] = rateOf(one['clickRate']);
    const both = countOf(one['accountsOfBoth']);
    const said = value === '' ? 'nothing to compare' : `${value} (${interval})`;
    return `click rate of ${textOf(one['creativeId'])} less that of ${textOf(one['against'])}: ${said}; ${both} accounts saw both`;
  });
}

function rateOf(rate: unknown): [value: string, interval: string] {
  if (!isRecord(rate)) return ['', ''];
  const { high, low, value } = rate;
  const interval = typeof low === 'number' && typeof high === 'number' ? `${percentOf(low)} to ${percentOf(high)}` : '';
  return [percentOf(value), interval];
}

function percentOf(value: unknown): string {
  return typeof value === 'number' ? `${figureOf(value * 100, 2)} %` : '';
}

function countOf(value: unknown): string {
  return typeof value === 'number' ? formatCount(value) : '';
}
