import { formatCount, formatDuration, formatFigure } from '../terminal/format.ts';
import { REFUSALS } from './outcome.ts';
import type { Format } from './plan-import.ts';

/** What an import did, all its runs together; with --json this is what is printed. */
export interface ImportSummary {
  readonly file: string;
  readonly format: Format;
  readonly target: string;
  readonly outcome: 'finished' | 'already_finished' | 'stopped' | 'dry_run' | 'written';
  readonly lines: number;
  readonly blank: number;
  /** Items made from the lines: visits of an access log, touches or facts of a table. */
  readonly items: number;
  /** Items the server has accepted; null when nothing was sent. */
  readonly accepted: number | null;
  /** Touches without an account. */
  readonly unresolved: number;
  readonly assets: number;
  readonly failedRequests: number;
  readonly otherMethods: number;
  /** Visits whose minutes are 0 because too many waited for their next page. */
  readonly cutShort: number;
  /** By reason: lines that were not sent, and items the server did not take. */
  readonly rejected: Readonly<Record<string, number>>;
  /** What a mapping put right in rows, in words, by how often. */
  readonly mended: Readonly<Record<string, number>>;
  readonly rejectedFile: string | null;
  readonly accounts: number;
  readonly accountsIsAtLeast: boolean;
  /** Milliseconds added to every time. */
  readonly shiftMs: number;
  readonly seconds: number;
  readonly linesPerSecond: number;
}

/** The summary as lines for a person. */
export function describeSummary(summary: ImportSummary): string[] {
  const isLog = summary.format === 'access-log';
  const rejected = Object.entries(summary.rejected);
  const total = rejected.reduce((sum, [, count]) => sum + count, 0);
  const rows: [label: string, count: number | null, note?: string][] = [
    ['lines read', summary.lines],
    ['blank', summary.blank || null],
    [isLog ? 'visits' : summary.target, summary.items],
    ['accepted', summary.accepted],
    [
      'unresolved',
      summary.target === 'touches' ? summary.unresolved : null,
      isLog ? 'no domain of a company: sent without an account' : 'without an account',
    ],
    ['assets', isLog ? summary.assets : null, 'images, styles, scripts and fonts are no visits'],
    ['failed requests', isLog ? summary.failedRequests : null, 'status outside 200-399'],
    ['other methods', isLog ? summary.otherMethods : null, 'neither GET nor POST'],
    ['cut short', summary.cutShort || null, 'minutes set to 0: too many visits waited for their next page'],
    ['rejected', total, total > 0 && summary.rejectedFile !== null ? `see ${summary.rejectedFile}` : undefined],
    ...rejected.map(([reason, count]): [string, number, string?] => [
      `  ${reason}`,
      count,
      Object.hasOwn(REFUSALS, reason) ? REFUSALS[reason as keyof typeof REFUSALS] : 'said by the server',
    ]),
    ...Object.entries(summary.mended).map(([what, count]): [string, number, string?] => ['put right', count, what]),
    ['accounts', summary.accounts, summary.accountsIsAtLeast ? 'at least' : undefined],
  ].filter((row): row is [string, number, string?] => row[1] !== null);

  const labels = Math.max(...rows.map(([label]) => label.length));
  const counts = Math.max(...rows.map(([, count]) => formatCount(count ?? 0).length));
  const lines = rows.map(
    ([label, count, note]) =>
      `${label.padEnd(labels)}  ${formatCount(count ?? 0).padStart(counts)}${note === undefined ? '' : `  ${note}`}`,
  );
  const speed = `${formatFigure(summary.seconds)} s, ${formatCount(summary.linesPerSecond)} lines/s`;
  return [HEADLINES[summary.outcome](summary), ...lines, speed, ...shiftLine(summary.shiftMs)];
}

const HEADLINES: Readonly<Record<ImportSummary['outcome'], (summary: ImportSummary) => string>> = {
  finished: ({ file }) => `Imported ${file}.`,
  already_finished: ({ file }) => `${file} is imported already; nothing was sent. Import it once more with --restart.`,
  stopped: ({ file }) => `Stopped. Run the same command again to go on with ${file}.`,
  dry_run: ({ file }) => `Dry run of ${file}: nothing was sent.`,
  written: ({ file }) => `Read ${file}: written to --output, nothing was sent.`,
};

function shiftLine(shiftMs: number): string[] {
  if (shiftMs === 0) return [];
  return [`all times moved ${shiftMs > 0 ? 'on' : 'back'} by ${formatDays(Math.abs(shiftMs))}`];
}

function formatDays(ms: number): string {
  const days = Math.floor(ms / 86_400_000);
  const rest = formatDuration((ms % 86_400_000) / 1000);
  return days === 0 ? rest : `${formatCount(days)} days ${rest}`;
}
