import { createRandom, type Random } from './random.ts';

export const LOG_FORMATS = ['common', 'combined', 'days'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
/** The end of a month lies within the log. */
const FIRST_AT = Date.UTC(2003, 6, 30, 21, 10, 0);

const DOMAINS = ['acme.com', 'globex.co.uk', 'initech.example', 'uni.ac.jp', 'hooli.github.io', 'stark.com.au', 'wayne.org', 'umbrella.de'];
/** Hosts that belong to no company, or look as if they did not. */
const ODD_HOSTS = ['192.0.2.7', '10.1.2', '198.51.100.200', 'localhost', 'co.uk', 'ACME.COM.', 'Globex.co.uk', 'x--y.wayne.org', 'com'];
const PAGES = [
  '/',
  '/index.html',
  '/docs/report.pdf',
  '/Products',
  '/search?q=a.gif',
  '/cgi-bin/form.cgi',
  '/a%20b.html',
  '/v1.2/notes',
  '/~ada/',
];
const ASSETS = ['/logo.gif', '/photo.JPG', '/site.css', '/app.js', '/icons/red.xbm', '/favicon.ico?v=2', '/old.gif width=20'];
const STATUSES = [200, 200, 200, 200, 200, 302, 304, 404, 500, 403];
const METHODS = ['GET', 'GET', 'GET', 'GET', 'GET', 'POST', 'HEAD', 'PUT'];
const BROKEN = [
  'not a line of a log',
  '"GET /" 200 12',
  'host - - [31/Xyz/2003:10:00:00 +0000] "GET / HTTP/1.0" 200 5',
  'host [30:10:00:00] no quotes 200 5',
];
/** Up to and just over the ends of a page's minutes and of a session. */
const GAPS_MS = [
  ...[1, 20, 45, 75].map((seconds) => seconds * SECOND_MS),
  ...[2, 9, 10, 11, 29, 30].map((minutes) => minutes * MINUTE_MS),
  30 * MINUTE_MS + SECOND_MS,
  5 * 60 * MINUTE_MS,
];

interface Line {
  readonly writtenAt: number;
  readonly text: string;
}

/**
 * An access log of three days: companies under all sorts of suffixes, addresses, pages and what is none, sessions with gaps at their limits,
 * lines a little late, and lines that are none. The same for the same seed.
 */
export function generateAccessLog(seed: number, format: LogFormat, visitors: number): string {
  const random = createRandom(seed);
  const lines: Line[] = [];
  for (let visitor = 0; visitor < visitors; visitor++) {
    const host = random.chance(0.15) ? random.pick(ODD_HOSTS) : `h${random.whole(1, 40)}.${random.pick(DOMAINS)}`;
    let at = FIRST_AT + random.whole(0, 40 * 60) * MINUTE_MS;
    for (let requests = random.whole(1, 25); requests > 0; requests--) {
      lines.push({ writtenAt: at + (random.chance(0.1) ? random.whole(1, 40) * SECOND_MS : 0), text: lineOf(host, at, format, random) });
      at += random.pick(GAPS_MS);
    }
  }
  // Lines are written when the answer is done: some come after younger ones.
  lines.sort((one, other) => one.writtenAt - other.writtenAt);
  const texts = lines.flatMap(({ text }) => (random.chance(0.01) ? [text, random.chance(0.3) ? '' : random.pick(BROKEN)] : [text]));
  return `${texts.join(random.chance(0.5) ? '\n' : '\r\n')}\n`;
}

function lineOf(host: string, at: number, format: LogFormat, random: Random): string {
  const target = random.chance(0.4) ? random.pick(ASSETS) : random.pick(PAGES);
  const protocol = random.chance(0.1) ? '' : random.pick([' HTTP/1.0', ' HTTP/1.1']);
  const request = `"${random.pick(METHODS)} ${target}${protocol}"`;
  const size = random.chance(0.1) ? '-' : String(random.whole(0, 90_000));
  const answer = `${random.pick(STATUSES)} ${size}`;
  if (format === 'days') return `${host} [${dayTime(at)}] ${request} ${answer}`;
  const user = random.pick(['-', 'ada']);
  const common = `${host} - ${user} [${fullTime(at, random.pick([0, 0, -240, 330]))}] ${request} ${answer}`;
  return format === 'common' ? common : `${common} "https://example.net/?q=\\"x\\"" "Mozilla/4.0 (compatible; \\"a\\")"`;
}

function dayTime(at: number): string {
  const time = new Date(at).toISOString();
  return `${time.slice(8, 10)}:${time.slice(11, 19)}`;
}

function fullTime(at: number, zoneMinutes: number): string {
  const time = new Date(at + zoneMinutes * MINUTE_MS).toISOString();
  const zone = `${zoneMinutes < 0 ? '-' : '+'}${two(Math.abs(zoneMinutes) / 60)}${two(Math.abs(zoneMinutes) % 60)}`;
  return `${time.slice(8, 10)}/${MONTHS[Number(time.slice(5, 7)) - 1]}/${time.slice(0, 4)}:${time.slice(11, 19)} ${zone}`;
}

function two(value: number): string {
  return String(Math.floor(value)).padStart(2, '0');
}
