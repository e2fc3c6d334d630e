/**
 * One line of a web server's access log, in Common or Combined Log Format (also with the virtual host in front), or in the form of the EPA
 * trace, `host [DD:HH:MM:SS] "request" status bytes`, which has no month and no year.
 */
export interface LogLine {
  /** As logged: a host name or an address. */
  readonly host: string;
  /** What stands between the brackets. */
  readonly time: string;
  /** Upper case; empty when the request is no request at all. */
  readonly method: string;
  /** What was asked for, with its query; may hold spaces when the client sent some. */
  readonly target: string;
  readonly status: number;
}

/**
 * Requests hold quotes: escaped ones by the format, plain ones in old logs (`"GET /a.gifalt=" HTTP/1.0"`). So a quote ends the request
 * only when a status and a size follow. Every character can be matched in one way only, so a hostile line costs linear time.
 */
const LINE =
  /^(?:[^\s:]+:\d{1,5} )?([^\s"[]\S*) (?:\S+ [^[]+ )?\[([^\]\s]{8,20}(?: [+-]\d{4})?)\] "((?:[^"\\]|\\.|"(?! \d{3} (?:\d+|-)(?: |$)))*)" (\d{3}) (?:\d+|-)(?: .*)?$/;

/** Null when the line is in none of the formats. */
export function parseLogLine(line: string): LogLine | null {
  const parts = LINE.exec(line);
  if (parts === null) return null;
  const [, host, time, request, status] = parts;
  return { host: host!, time: time!, ...splitRequest(request!), status: Number(status) };
}

/** `GET /path HTTP/1.0`, without the protocol in HTTP/0.9. A target with spaces is kept whole. */
function splitRequest(request: string): { method: string; target: string } {
  const space = request.indexOf(' ');
  const method = space < 0 ? request : request.slice(0, space);
  if (!/^[A-Z]{1,32}$/.test(method)) return { method: '', target: unescape(request) };
  const rest = space < 0 ? '' : request.slice(space);
  const protocol = rest.lastIndexOf(' HTTP/');
  const hasProtocol = protocol >= 0 && /^ HTTP\/\d(?:\.\d)?$/.test(rest.slice(protocol));
  return { method, target: unescape((hasProtocol ? rest.slice(0, protocol) : rest).trim()) };
}

function unescape(text: string): string {
  return text.includes('\\') ? text.replace(/\\(["\\])/g, '$1') : text;
}

/** The path of a target, without query, fragment, scheme and host; '/' when nothing is left. */
export function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  const path = (end < 0 ? target : target.slice(0, end)).replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '');
  // oxlint-disable-next-line no-control-regex -- old clients sent raw control characters, which no URL may hold
  return path === '' ? '/' : path.replace(/[\u0000-\u0020\u007f]/g, (character) => encodeURIComponent(character));
}
