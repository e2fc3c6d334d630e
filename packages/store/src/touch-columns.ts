import { FIELD } from '@touchstone/engine';
import type { TextField } from '@touchstone/engine';
import { DATE_TIME } from './row-binary.ts';
import type { ColumnType } from './row-binary.ts';
import { OPTIONAL_FIELDS } from './store.ts';
import type { OptionalField } from './store.ts';

/**
 * The columns of a stored touch, in the order of their bytes: first those of fixed size, so that each is at a known distance from the row's
 * begin, then text, then the properties. Statements, the writer and the reader all follow from these lists.
 */
interface FixedColumn<Name extends string> extends ColumnType {
  readonly name: Name;
  readonly size: number;
}

const fixed = <Name extends string>(name: Name, type: string, size: number): FixedColumn<Name> => ({ name, type, size });

const FIXED_COLUMNS = [
  fixed('partition', 'UInt16', 2),
  fixed('offset', 'UInt64', 8),
  fixed('appended_at', DATE_TIME, 8),
  fixed('occurred_at', DATE_TIME, 8),
  fixed('minutes', 'Float64', 8),
] as const;

type FixedName = (typeof FIXED_COLUMNS)[number]['name'];

function placesOf(columns: typeof FIXED_COLUMNS): Readonly<Record<FixedName, number>> {
  const places: Record<FixedName, number> = { partition: 0, offset: 0, appended_at: 0, occurred_at: 0, minutes: 0 };
  let at = 0;
  for (const { name, size } of columns) {
    places[name] = at;
    at += size;
  }
  return places;
}

/** Where each column of fixed size begins in a row, in bytes. */
export const PLACE = placesOf(FIXED_COLUMNS);
export const FIXED_BYTES = FIXED_COLUMNS.reduce((sum, { size }) => sum + size, 0);

const TEXT_COLUMNS: readonly (readonly [TextField, string])[] = [
  ['id', 'id'],
  ['accountId', 'account_id'],
  ['contactId', 'contact_id'],
  ['kind', 'kind'],
  ['channel', 'channel'],
  ['campaignId', 'campaign_id'],
  ['creativeId', 'creative_id'],
  ['url', 'url'],
  ['source', 'source'],
];

/** Which columns the rows have: all when written, fewer when a reader has no need of some. */
export interface TouchLayout {
  readonly columns: readonly ColumnType[];
  /** Numbers of `FIELD` in the order of the text columns. */
  readonly textFields: Int32Array;
  readonly hasIds: boolean;
  readonly hasProperties: boolean;
}

export function touchLayout(fields: readonly OptionalField[] = OPTIONAL_FIELDS, ids = true): TouchLayout {
  const isLeftOut = (name: string) =>
    (OPTIONAL_FIELDS as readonly string[]).includes(name) && !(fields as readonly string[]).includes(name);
  const texts = TEXT_COLUMNS.filter(([field]) => !isLeftOut(field) && (ids || field !== 'id'));
  const hasProperties = !isLeftOut('properties');
  return {
    columns: [
      ...FIXED_COLUMNS,
      ...texts.map(([, name]) => ({ name, type: 'String' })),
      ...(hasProperties ? [{ name: 'properties', type: 'Map(String, String)' }] : []),
    ],
    textFields: Int32Array.from(texts, ([field]) => FIELD[field]),
    hasIds: ids,
    hasProperties,
  };
}

export const WHOLE_TOUCH = touchLayout();
