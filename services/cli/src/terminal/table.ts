import { styleText } from 'node:util';
import stringWidth from 'string-width';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** Lines of a table with aligned columns, for any script: widths are those a terminal draws. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const clean = rows.map((row) => row.map(printable));
  const widths = columns.map(({ title }, at) => Math.max(stringWidth(title), ...clean.map((row) => stringWidth(row[at] ?? ''))));
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align }, at) => {
        const cell = cells[at] ?? '';
        const fill = ' '.repeat(Math.max(0, widths[at]! - stringWidth(cell)));
        return align === 'right' ? fill + cell : cell + fill;
      })
      .join('  ')
      .trimEnd();
  return [styleText('bold', line(columns.map(({ title }) => title)), { stream: process.stdout }), ...clean.map(line)];
}

/** What others named may hold control characters; written raw they could move the cursor or change the terminal's title. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\u00b7');
}
