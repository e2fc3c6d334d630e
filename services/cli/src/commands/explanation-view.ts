import { styleText } from 'node:util';
import { figureOf, textOf, timeOf } from '../answers.ts';
import { isRecord } from '../api-client.ts';
import { formatTable, printable } from '../terminal/table.ts';

type Row = Record<string, unknown>;
const right = 'right' as const;

/** Where an account's points come from and what it lacks, as lines for a sales person: the people and what they did, not the arithmetic. */
export function describeExplanation(answer: Row): string[] {
  const bold = (text: string): string => styleText('bold', text, { stream: process.stdout });
  const parts = rowsOf(answer['parts']);
  return [
    bold(printable(textOf(answer['accountId']))),
    [
      `score ${figureOf(answer['score'])}, ${figureOf(answer['points'])} points from ${figureOf(answer['touches'], 0)} touches`,
      `as of ${timeOf(answer['asOf'])}`,
      `model ${textOf(answer['modelVersion'])}`,
    ].join(', '),
    '',
    ...(parts.length === 0 ? ['No touch of it is worth a point.'] : formatTable(columnsFor(parts), tableRows(answer, parts))),
    ...describeCaps(parts),
    ...describeNearest(answer['nearest']),
  ];
}

const NAMES: readonly (readonly [field: string, title: string, absent: string])[] = [
  ['contactId', 'contact', 'nobody known'],
  ['role', 'role', ''],
  ['ruleId', 'rule', ''],
  ['campaignId', 'campaign', ''],
  ['channel', 'channel', ''],
];

/** Rules are mostly called as the kind of touch they are about: one of the two is enough. */
function namesIn(parts: readonly Row[]): (typeof NAMES)[number][] {
  const names = NAMES.filter(([field]) => parts.some((part) => field in part));
  return names.some(([field]) => field === 'ruleId') || !parts.some((part) => 'kind' in part) ? names : [...names, ['kind', 'kind', '']];
}

function columnsFor(parts: readonly Row[]) {
  return [
    { title: 'points', align: right },
    { title: 'of all', align: right },
    ...namesIn(parts).map(([, title]) => ({ title })),
    { title: 'touches', align: right },
    { title: 'worth', align: right },
    { title: 'left', align: right },
    { title: 'role x', align: right },
  ];
}

function tableRows(answer: Row, parts: readonly Row[]): string[][] {
  const all = numberOf(answer['points']);
  const names = namesIn(parts);
  const share = (points: unknown): string => (all > 0 ? `${Math.round((100 * numberOf(points)) / all)} %` : '');
  const rows = parts.map((part) => [
    figureOf(part['points']),
    share(part['points']),
    ...names.map(([field, , absent]) => textOf(part[field]) || absent),
    figureOf(part['touches'], 0),
    figureOf(part['worth']),
    typeof part['decay'] === 'number' ? `${Math.round(100 * part['decay'])} %` : '',
    part['multiplier'] === 1 ? '' : figureOf(part['multiplier']),
  ]);
  const { rest } = answer;
  if (!isRecord(rest)) return rows;
  const others = `${figureOf(rest['parts'], 0)} more`;
  return [
    ...rows,
    [
      figureOf(rest['points']),
      share(rest['points']),
      others,
      ...names.slice(1).map(() => ''),
      figureOf(rest['touches'], 0),
      figureOf(rest['worth']),
    ],
  ];
}

function describeCaps(parts: readonly Row[]): string[] {
  const taken = parts.flatMap((part) => (isRecord(part['capped']) && numberOf(part['capped']['touches']) > 0 ? [part['capped']] : []));
  if (taken.length === 0) return [];
  const sum = (field: string): number => taken.reduce((total, capped) => total + numberOf(capped[field]), 0);
  return ['', `Daily caps took ${figureOf(sum('touches'), 0)} touches of these: ${figureOf(sum('points'))} points.`];
}

function describeNearest(nearest: unknown): string[] {
  if (!isRecord(nearest)) return [];
  const thresholds = rowsOf(nearest['thresholds']).map(describeThreshold);
  const qualification = isRecord(nearest['qualification']) ? [describeQualification(nearest['qualification'])] : [];
  const lines = [...thresholds, ...qualification];
  return lines.length === 0 ? [] : ['', ...lines.map(printable)];
}

function describeThreshold(threshold: Row): string {
  const name = `${textOf(threshold['id'])} (${textOf(threshold['metric'])} ${figureOf(threshold['enter'], 0)})`;
  if (threshold['reached'] === true) return `${name}: reached, at ${figureOf(threshold['value'])}`;
  const missing = `${name}: ${figureOf(threshold['missing'])} missing`;
  const ways = rowsOf(threshold['wouldDo']).slice(0, 3).map(describeWay);
  return ways.length === 0 ? missing : `${missing}; ${ways.join(', or ')} would do`;
}

function describeWay(way: Row): string {
  const kind = textOf(way['kind']);
  if (isRecord(way['lasting'])) return `${figureOf(way['lasting']['touches'], 0)} ${kind} of ${figureOf(way['lasting']['minutes'], 0)} min`;
  return `${figureOf(way['touches'], 0)} ${kind}`;
}

function describeQualification(standing: Row): string {
  if (standing['qualified'] === true) return standing['actNow'] === true ? 'qualified: act now' : 'qualified';
  if (standing['candidate'] === false) return 'not qualified: the model leaves such accounts out';
  const unmet = rowsOf(standing['criteria'])
    .filter(({ met }) => met !== true)
    .map(({ atLeast, id, value }) => `${textOf(id)} at ${figureOf(value)} of ${figureOf(atLeast)}`);
  const criteria = numberOf(standing['criteriaMissing']);
  const contacts = numberOf(standing['contactsMissing']);
  const missing = [
    ...(criteria > 0 ? [`${criteria} more of: ${unmet.join(', ')}`] : []),
    ...(contacts > 0 ? [`${contacts} more engaged contact${contacts === 1 ? '' : 's'}`] : []),
  ];
  return `${standing['near'] === true ? 'nearly qualified' : 'not qualified'}: it takes ${missing.join(', and ')}`;
}

function rowsOf(value: unknown): Row[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
