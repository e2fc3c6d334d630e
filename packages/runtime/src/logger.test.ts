import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { humanLine } from './human-line.ts';
import { createLogger } from './logger.ts';

function linesOf(write: (logger: ReturnType<typeof createLogger>) => void): string[] {
  const lines: string[] = [];
  write(createLogger({ service: 'test', level: 'debug', destination: { write: (line) => void lines.push(line) } }));
  return lines;
}

describe('createLogger', () => {
  it('writes one JSON object a line, with level, time, service and message', () => {
    const [line] = linesOf((logger) => logger.info({ partition: 3 }, 'restored'));
    expect(JSON.parse(line!)).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      service: 'test',
      partition: 3,
      msg: 'restored',
    });
  });

  it.each([
    ['a header', { req: { headers: { authorization: 'hush' } } }],
    ['cookies', { headers: { cookie: 'hush', 'set-cookie': 'hush' } }],
    ['a key', { key: 'hush' }],
    ['a configured key', { config: { adminKey: 'hush' } }],
    ['an e-mail address', { contact: { email: 'hush' } }],
    ['an address', { ip: 'hush', req: { remoteAddress: 'hush' } }],
    ['a body', { req: { body: 'hush' } }],
  ])('hides %s', (_, fields) => {
    const [line] = linesOf((logger) => logger.warn(fields, 'something'));
    expect(line).toContain('[redacted]');
    expect(line).not.toContain('hush');
  });
});

describe('humanLine', () => {
  it('puts time, level and message first, then the rest', () => {
    const line = humanLine('{"level":"info","time":"2026-03-01T10:20:30.456Z","service":"x","msg":"ready","port":8080,"host":"::1"}\n');
    expect(stripVTControlCharacters(line)).toBe('10:20:30.456 info  ready port=8080 host=::1\n');
  });

  it('shows the stack of an error below', () => {
    const line = humanLine(JSON.stringify({ level: 'error', time: '', msg: 'no', err: { message: 'm', stack: 'Error: m\n    at f' } }));
    expect(stripVTControlCharacters(line)).toBe('error no\nError: m\n    at f\n');
  });

  it('leaves alone what is no log line', () => {
    expect(humanLine('plain\n')).toBe('plain\n');
  });
});
