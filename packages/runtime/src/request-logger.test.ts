import { expect, it } from 'vitest';
import { createLogger } from './logger.ts';
import { requestLogger } from './request-logger.ts';

it("puts the request's id into each of its lines, keeps the rest of the logger, and leaves the other loggers alone", () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const parent = createLogger({ service: 'test', level: 'info', destination });
  const one = requestLogger(parent, { reqId: 'req-"1"' });
  const other = requestLogger(parent, { reqId: 'req-2' });
  one.info({ token: 'hush' }, 'first');
  other.warn('second');
  other.child({ part: 3 }).info('third');
  one.debug('not written');
  parent.info('fourth');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ service: 'test', reqId: 'req-"1"', token: '[redacted]', level: 'info', msg: 'first' }),
    expect.objectContaining({ service: 'test', reqId: 'req-2', level: 'warn', msg: 'second' }),
    expect.objectContaining({ service: 'test', reqId: 'req-2', part: 3, msg: 'third' }),
    expect.not.objectContaining({ reqId: expect.anything() }),
  ]);
});
