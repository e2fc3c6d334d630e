import { z } from 'zod';
import { day, type CreativeAnswer } from './creative-answers.ts';

const FIELDS = [
  'impressions',
  'clicks',
  'clickRate',
  'touches',
  'minutes',
  'points',
  'pointsPerAccountReached',
  'accountsReached',
  'contactsReached',
  'campaignId',
  'creativeId',
] as const;
type Field = (typeof FIELDS)[number];

type CreativeOrder = Field | `-${Field}`;
export const CREATIVE_ORDERS = FIELDS.flatMap((field): CreativeOrder[] => [`-${field}`, field]) as [CreativeOrder, ...CreativeOrder[]];

/** Where a page ended: its last row's key and names, and the days that all pages are of. */
export const creativePlace = z.object({
  from: day,
  to: day,
  sort: z.enum(CREATIVE_ORDERS),
  key: z.union([z.number(), z.string()]).nullable(),
  campaignId: z.string().nullable(),
  creativeId: z.string().nullable(),
});

type Place = Omit<z.output<typeof creativePlace>, 'from' | 'to'>;

/** The rows of a page, and where it ended unless it is the last. Rows that touches move meanwhile may be missed or seen twice. */
export function pageOfCreatives(
  rows: readonly CreativeAnswer[],
  sort: CreativeOrder,
  most: number,
  after: Place | null,
): { data: CreativeAnswer[]; next: Place | null } {
  const placed = rows.map((row) => ({
    row,
    place: { sort, key: keyOf(row, sort), campaignId: row.campaignId, creativeId: row.creativeId },
  }));
  placed.sort((one, other) => compare(one.place, other.place));
  const rest = after === null ? placed : placed.filter(({ place }) => compare(place, after) > 0);
  const page = rest.slice(0, most);
  return { data: page.map(({ row }) => row), next: rest.length > most ? page.at(-1)!.place : null };
}

function keyOf(row: CreativeAnswer, sort: CreativeOrder): number | string | null {
  const field = sort.replace(/^-/, '') as Field;
  return field === 'clickRate' ? row.clickRate.value : row[field];
}

/** What is null comes last either way; ties go by campaign and creative. */
function compare(one: Place, other: Place): number {
  const byKey = compareValues(one.key, other.key, one.sort.startsWith('-'));
  return byKey || compareValues(one.campaignId, other.campaignId, false) || compareValues(one.creativeId, other.creativeId, false);
}

function compareValues(one: number | string | null, other: number | string | null, isDescending: boolean): number {
  if (one === other) return 0;
  if (one === null) return 1;
  if (other === null) return -1;
  return one < other === isDescending ? 1 : -1;
}
