import type { LogEntry } from '@touchstone/testkit';
import { getDomain } from 'tldts';

/**
 * An access log read a second time, for holding the import against: by the rules that the documents give, with no code of the import's. It
 * takes whole files and walks through them as often as it likes; only the list of public suffixes is shared.
 */

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const SESSION_MS = 30 * MINUTE_MS;
const MINUTES_MAX = 10;

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const IMAGES = 'gif jpg jpeg jpe jfif png apng webp avif svg svgz ico cur bmp tif tiff xbm xpm heic'.split(' ');
const STYLES_AND_FONTS = 'css scss less woff woff2 ttf otf eot'.split(' ');
const SCRIPTS = 'js mjs cjs map wasm'.split(' ');
const ASSETS = new Set([...IMAGES, ...STYLES_AND_FONTS, ...SCRIPTS]);

export interface Recomputed {
  readonly lines: number;
  readonly visits: number;
  /** Visits of hosts that have no registrable domain. */
  readonly unresolved: number;
  readonly assets: number;
  readonly failed: number;
  readonly otherMethods: number;
  readonly rejected: number;
  readonly accounts: number;
  /** The newest time in the log, epoch ms before any shift; a log without months begins on 1970-01-01. */
  readonly newestAt: number;
  /** The visits as touches, in the order of the lines, with `shiftMs` added to each time. */
  touches(shiftMs: number): LogEntry[];
}

interface Request {
  readonly host: string;
  readonly time: string;
  readonly request: string;
  readonly status: number;
}

interface Visit {
  readonly host: string;
  readonly accountId: string | null;
  readonly occurredAt: number;
  minutes: number;
}

export function recomputeAccessLog(text: string): Recomputed {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const counts = { assets: 0, failed: 0, otherMethods: 0, rejected: 0 };
  const visits: Visit[] = [];
  const timeOf = createCalendar();
  let newestAt = -Infinity;
  for (const line of lines) {
    if (line.trim() === '') continue;
    const parsed = readLine(line.endsWith('\r') ? line.slice(0, -1) : line);
    const occurredAt = parsed === null ? null : timeOf(parsed.time);
    if (parsed === null || occurredAt === null) {
      counts.rejected++;
      continue;
    }
    newestAt = Math.max(newestAt, occurredAt);
    const what = classOf(parsed);
    if (what !== 'visit') counts[what]++;
    else visits.push({ host: parsed.host, accountId: accountOf(parsed.host), occurredAt, minutes: 0 });
  }
  addMinutes(visits);
  const resolved = visits.filter(({ accountId }) => accountId !== null);
  return {
    ...counts,
    lines: lines.length,
    visits: visits.length,
    unresolved: visits.length - resolved.length,
    accounts: new Set(resolved.map(({ accountId }) => accountId)).size,
    newestAt,
    touches: (shiftMs) =>
      visits.map(({ host, accountId, occurredAt, minutes }, offset) => ({
        offset,
        // Whatever the real time of append was: nothing here depends on it but the horizon of ids, and no two are alike.
        appendedAt: newestAt + shiftMs,
        record: { id: `visit-${offset}`, accountId, contactId: host, kind: 'web_visit', occurredAt: occurredAt + shiftMs, minutes },
      })),
  };
}

/** Minutes of a page: until the same host's next page in the log, if that comes within half an hour. */
function addMinutes(visits: readonly Visit[]): void {
  const byHost = Map.groupBy(visits, ({ host }) => host);
  for (const ofHost of byHost.values()) {
    for (const [index, visit] of ofHost.entries()) {
      const next = ofHost[index + 1];
      const gap = next === undefined ? Infinity : next.occurredAt - visit.occurredAt;
      if (gap >= 0 && gap <= SESSION_MS) visit.minutes = Math.min(MINUTES_MAX, gap / MINUTE_MS);
    }
  }
}

/** `host ... [time] "request" status bytes ...`; null for anything else. */
function readLine(line: string): Request | null {
  const bracket = line.indexOf('[');
  const bracketEnd = line.indexOf('] "', bracket);
  if (bracket < 1 || bracketEnd < 0) return null;
  const head = line.slice(0, bracket).trim().split(' ');
  // Some servers put the name and port of the site that was asked before the host.
  const host = head.length > 1 && /:\d+$/.test(head[0]!) ? head[1]! : head[0]!;
  const start = bracketEnd + 3;
  // Requests may hold quotes themselves: the one that ends it is followed by status and size.
  for (let quote = line.indexOf('"', start); quote >= 0; quote = line.indexOf('"', quote + 1)) {
    const [nothing, status = '', size = ''] = line.slice(quote + 1).split(' ', 3);
    if (nothing !== '' || !/^\d{3}$/.test(status) || !/^(\d+|-)$/.test(size) || line[quote - 1] === '\\') continue;
    const name = host.toLowerCase();
    return {
      host: name.endsWith('.') ? name.slice(0, -1) : name,
      time: line.slice(bracket + 1, bracketEnd),
      request: line.slice(start, quote),
      status: Number(status),
    };
  }
  return null;
}

function classOf({ request, status }: Request): 'visit' | 'assets' | 'failed' | 'otherMethods' {
  if (status < 200 || status >= 400) return 'failed';
  const [method = '', ...rest] = request.split(' ');
  const target = rest.join(' ').split(' HTTP/')[0]!;
  const path = target.split('?')[0]!.split('#')[0]!;
  const file = path.split('/').at(-1)!;
  const extension = file.includes('.') ? file.split('.').at(-1)!.toLowerCase() : '';
  // What stands behind the extension in some old pages, as in `logo.gif width=20`, does not belong to it.
  if (ASSETS.has(extension.split(/[^a-z0-9]/)[0]!)) return 'assets';
  return method === 'GET' || method === 'POST' ? 'visit' : 'otherMethods';
}

function accountOf(host: string): string | null {
  const domain = getDomain(host, { allowPrivateDomains: true });
  // What is left of an address that was cut short ends in a number, as no domain does.
  return domain === null || /^\d+$/.test(domain.split('.').at(-1)!) ? null : domain;
}

/** Reads `10/Oct/2000:13:55:36 -0700`, and `29:23:53:25`, of which the days are counted on from line to line. */
function createCalendar(): (text: string) => number | null {
  let date = 0;
  let day: number | null = null;

  return function timeOf(text) {
    const [stamp = '', zone = '+0000'] = text.split(' ');
    const [first = '', hour, minute, second] = stamp.split(':');
    const clock = ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000;
    if (Number.isNaN(clock)) return null;
    if (first.includes('/')) {
      const [dayOfMonth, month = '', year] = first.split('/');
      const monthIndex = MONTHS.indexOf(month);
      if (monthIndex < 0) return null;
      const eastOf = (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3)));
      return Date.UTC(Number(year), monthIndex, Number(dayOfMonth)) + clock - eastOf * MINUTE_MS;
    }
    const today = Number(first);
    if (Number.isNaN(today)) return null;
    const step: number = day === null ? 0 : today - day;
    // A day far below the one before is of the next month, whose first day follows on the last that was seen.
    date += step < -15 ? step + Math.max(28, day!) : step;
    day = today;
    return date * DAY_MS + clock;
  };
}
