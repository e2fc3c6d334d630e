import { stringify } from 'csv-stringify/sync';
import { acceptQuality } from './accept-header.ts';

/** JSON for whoever has no preference. */
export function prefersCsv(accept: string | undefined): boolean {
  return acceptQuality(accept, 'text/csv') > acceptQuality(accept, 'application/json');
}

/** The same list from another place on: CSV has no room for the cursor, so that the whole address goes into a header. */
export function linkToNext(url: string, cursor: string): string {
  const [path = '', query] = url.split('?', 2);
  const parameters = new URLSearchParams(query);
  parameters.set('cursor', cursor);
  return `<${path}?${parameters.toString()}>; rel="next"`;
}

/** Cells that a spreadsheet would take for formulas are escaped: names and ids come from outside. */
export function csvOf(columns: readonly string[], rows: readonly object[]): string {
  return stringify([...rows], { header: true, columns: [...columns], escape_formulas: true, cast: { boolean: String } });
}
