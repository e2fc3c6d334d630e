import { CliError, EXIT } from '../cli-error.ts';
import { createLogClock, type LogClockOptions } from './access-log-clock.ts';
import { parseLogLine, pathOf } from './access-log-line.ts';
import { classifyRequest } from './classify-request.ts';
import { noteTime, refuse, type Item, type Reader, type Reading, type ReadTally, type Refusal } from './outcome.ts';
import { readLines, type Line } from './read-lines.ts';
import { createHostResolver, normaliseHost } from './resolve-host.ts';
import { createSessioniser, type Sessioned, type Visit } from './sessionise.ts';

interface PageVisit extends Visit {
  readonly id: string;
  readonly line: number;
  readonly text: string;
  readonly path: string;
}

export interface AccessLogOptions extends LogClockOptions {
  /** Times that are shifted anyway need no date to begin with. */
  readonly isStartNeeded: boolean;
}

/** Page visits of an access log as touches of kind `web_visit`. */
export function createAccessLogReader(options: AccessLogOptions): Reader {
  return async function* readAccessLog(chunks, reading) {
    const { tally } = reading;
    const readVisit = createVisitReader(options, reading);
    const toItem = createVisitWriter(tally, reading.shiftMs);
    const sessions = createSessioniser<PageVisit>();
    for await (const lines of readLines(chunks)) {
      const items: Item[] = [];
      const refusals: Refusal[] = [];
      for (const line of lines) {
        const read = readVisit(line);
        if (read === null) continue;
        if ('reason' in read) refusals.push(read);
        else for (const visit of sessions.add(read)) items.push(toItem(visit));
      }
      tally.refused += refusals.length;
      tally.cutShort = sessions.cutShort;
      yield { items, refusals };
    }
    yield { items: sessions.end().map(toItem), refusals: [] };
  };
}

/** From a line to a visit, a refusal, or null for what is left out and counted. */
function createVisitReader(options: AccessLogOptions, { tally, chain }: Reading): (line: Line) => PageVisit | Refusal | null {
  const timeOf = createLogClock(options, options.isStartNeeded);

  return function readVisit({ number, text, isTooLong }) {
    tally.lines++;
    const id = chain.next(text);
    if (text.trim() === '') {
      tally.blank++;
      return null;
    }
    if (isTooLong) return refuse('line_too_long', number, text);
    const parsed = parseLogLine(text);
    if (parsed === null) return refuse('not_a_log_line', number, text);
    const occurredAt = timeOf(parsed.time);
    if (occurredAt === 'startNeeded') throw startNeeded();
    if (occurredAt === 'startDiffers') throw startDiffers(parsed.time);
    if (typeof occurredAt === 'string') return refuse('bad_time', number, text, `'${parsed.time}' is no time that can be read`);
    noteTime(tally, occurredAt);
    const kind = classifyRequest(parsed);
    if (kind !== 'visit') {
      tally[LEFT_OUT[kind]]++;
      return null;
    }
    const host = normaliseHost(parsed.host);
    if (host === '-' || host === '') return refuse('no_host', number, text);
    return { host, occurredAt, id, line: number, text, path: pathOf(parsed.target) };
  };
}

const LEFT_OUT = { asset: 'assets', failed: 'failed', otherMethod: 'otherMethods' } as const;

function createVisitWriter(tally: ReadTally, shiftMs: number): (visit: Sessioned<PageVisit>) => Item {
  const accountOf = createHostResolver();

  return function toItem({ id, host, occurredAt, minutes, path, line, text }) {
    const accountId = accountOf(host);
    tally.items++;
    if (accountId === null) tally.unresolved++;
    const touch = {
      id,
      ...(accountId === null ? {} : { accountId }),
      contactId: host,
      kind: 'web_visit',
      occurredAt: occurredAt + shiftMs,
      minutes,
      url: path,
      source: 'access-log',
    };
    return { line, orderKey: accountId ?? host, body: JSON.stringify(touch), text, accountId };
  };
}

function startNeeded(): CliError {
  return new CliError(
    'The times of this log have no month and no year. Say on which date its first line was written, as in --log-start 1995-08-29 --zone -0400, or bring it to the present with --shift-to-now.',
    { exitCode: EXIT.usage },
  );
}

function startDiffers(time: string): CliError {
  return new CliError(
    `The first line is of day ${time.slice(0, 2)} of its month ([${time}]), so --log-start must be a date with that day.`,
    {
      exitCode: EXIT.usage,
    },
  );
}
