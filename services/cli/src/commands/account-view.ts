import { styleText } from 'node:util';
import { isRecord } from '../api-client.ts';
import { formatTable, printable } from '../terminal/table.ts';
import { figureOf, textOf, timeOf } from '../answers.ts';

const SCORE_CELLS = 40;

/** An account as lines for a person. */
export function describeAccount(account: Record<string, unknown>): string[] {
  const bold = (text: string): string => styleText('bold', text, { stream: process.stdout });
  return [
    bold(printable(textOf(account['accountId']))),
    `${scoreBar(account['score'])}  score ${figureOf(account['score'])} of 100, ${figureOf(account['points'])} points`,
    [
      account['engaged'] === true ? 'engaged' : 'not engaged',
      ...standingOf(account),
      `last touch ${timeOf(account['lastTouchAt']) || 'never'}`,
      `model ${textOf(account['modelVersion'])}`,
      `as of ${timeOf(account['asOf'])}`,
    ].join(', '),
    '',
    ...describeWindows(account['windows']),
    '',
    ...describeReach(account['reach']),
  ];
}

function standingOf({ qualified, stage }: Record<string, unknown>): string[] {
  return [
    ...(textOf(stage) === '' ? [] : [`stage ${printable(textOf(stage))}`]),
    ...(typeof qualified === 'boolean' ? [qualified ? 'qualified (MQA)' : 'not qualified'] : []),
  ];
}

function scoreBar(score: unknown): string {
  const full = Math.round((Math.max(0, Math.min(100, typeof score === 'number' ? score : 0)) / 100) * SCORE_CELLS);
  return '━'.repeat(full) + '─'.repeat(SCORE_CELLS - full);
}

/** Each figure with the one of the equally long window before behind it. */
function describeWindows(windows: unknown): string[] {
  if (!isRecord(windows)) return [];
  const rows = Object.entries(windows).flatMap(([name, window]) => {
    if (!isRecord(window)) return [];
    const previous = isRecord(window['previous']) ? window['previous'] : {};
    const both = (field: string, digits: number): string => `${figureOf(window[field], digits)} (${figureOf(previous[field], digits)})`;
    return [[name, both('touches', 0), both('minutes', 1), both('contacts', 0), both('newContacts', 0), kindsOf(window['byKind'])]];
  });
  const right = 'right' as const;
  const columns = [
    { title: 'window' },
    { title: 'touches (before)', align: right },
    { title: 'minutes', align: right },
    { title: 'contacts', align: right },
    { title: 'new', align: right },
    { title: 'kinds' },
  ];
  return formatTable(columns, rows);
}

function kindsOf(byKind: unknown): string {
  return sortedCounts(byKind)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ');
}

function describeReach(reach: unknown): string[] {
  if (!isRecord(reach)) return [];
  const roles = isRecord(reach['roles']) ? reach['roles'] : {};
  const list = (value: unknown): string => (Array.isArray(value) && value.length > 0 ? value.join(', ') : 'none');
  const campaigns = sortedCounts(reach['byCampaign']).map(([campaign, count]) => `${campaign} ${count}`);
  return [
    `reach      ${figureOf(reach['contacts'], 0)} of ${figureOf(reach['knownContacts'], 0)} known contacts engaged`,
    `committee  covered: ${list(roles['covered'])}; missing: ${list(roles['missing'])}`,
    ...(campaigns.length > 0 ? [`first seen by campaign: ${campaigns.join(', ')}`] : []),
  ].map(printable);
}

function sortedCounts(value: unknown): [string, number][] {
  if (!isRecord(value)) return [];
  const counts = Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === 'number' && entry[1] > 0);
  return counts.sort((a, b) => b[1] - a[1]);
}
