import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parseLogLine, pathOf } from './access-log-line.ts';

describe('parseLogLine', () => {
  const rows: [what: string, line: string, read: [host: string, time: string, method: string, target: string, status: number] | null][] = [
    [
      'Common Log Format',
      '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326',
      ['127.0.0.1', '10/Oct/2000:13:55:36 -0700', 'GET', '/apache_pb.gif', 200],
    ],
    [
      'Combined Log Format',
      'a.example - - [10/Oct/2000:13:55:36 +0000] "POST /form?x=1 HTTP/1.1" 302 - "http://b.example/" "Mozilla/4.08 [en] (Win98; I)"',
      ['a.example', '10/Oct/2000:13:55:36 +0000', 'POST', '/form?x=1', 302],
    ],
    [
      'Combined with fields of its own behind',
      'a.example - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/2" 200 5 "-" "curl" 0.003 "x"',
      ['a.example', '10/Oct/2000:13:55:36 +0000', 'GET', '/', 200],
    ],
    [
      'the virtual host in front',
      'www.shop.example:443 a.example - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5',
      ['a.example', '10/Oct/2000:13:55:36 +0000', 'GET', '/', 200],
    ],
    [
      'an IPv6 host',
      '2001:db8::1 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5',
      ['2001:db8::1', '10/Oct/2000:13:55:36 +0000', 'GET', '/', 200],
    ],
    [
      'a user with spaces',
      'a.example - Jo Po [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5',
      ['a.example', '10/Oct/2000:13:55:36 +0000', 'GET', '/', 200],
    ],
    [
      'the EPA trace',
      'host.example [29:23:53:25] "GET /Software.html HTTP/1.0" 200 1497',
      ['host.example', '29:23:53:25', 'GET', '/Software.html', 200],
    ],
    ['HTTP/0.9, without a protocol', 'h.example [30:11:04:30] "GET /" 200 4889', ['h.example', '30:11:04:30', 'GET', '/', 200]],
    ['no target', 'h.example [30:08:36:17] "GET  HTTP/1.0" 302 -', ['h.example', '30:08:36:17', 'GET', '', 302]],
    [
      'a plain quote in the request',
      'h.example [30:09:36:04] "GET /gif/blueball.gifalt=" HTTP/1.0" 404 -',
      ['h.example', '30:09:36:04', 'GET', '/gif/blueball.gifalt="', 404],
    ],
    [
      'spaces in the target',
      'h.example [30:10:26:58] "GET /PubList/ list.html HTTP/1.0" 200 1933',
      ['h.example', '30:10:26:58', 'GET', '/PubList/ list.html', 200],
    ],
    [
      'a raw control character and no end of the request',
      'h.example [30:02:14:08] "GET /gate?docid=\u0001" 200 169',
      ['h.example', '30:02:14:08', 'GET', '/gate?docid=\u0001', 200],
    ],
    ['a request that is none', 'h.example [30:15:17:12] "cons/book.gif" 400 -', ['h.example', '30:15:17:12', '', 'cons/book.gif', 400]],
    ['an empty request', 'h.example - - [10/Oct/2000:13:55:36 +0000] "" 408 0', ['h.example', '10/Oct/2000:13:55:36 +0000', '', '', 408]],
    [
      'escaped quotes',
      'h.example - - [10/Oct/2000:13:55:36 +0000] "GET /a\\"b HTTP/1.1" 200 1',
      ['h.example', '10/Oct/2000:13:55:36 +0000', 'GET', '/a"b', 200],
    ],
    [
      'a backslash that escapes nothing',
      'h.example [30:14:49:44] "GET /regs/..\\back.gif HTTP/1.0" 404 -',
      ['h.example', '30:14:49:44', 'GET', '/regs/..\\back.gif', 404],
    ],
    ['no status', 'h.example [30:14:49:44] "GET / HTTP/1.0"', null],
    ['no time', 'h.example - - "GET / HTTP/1.0" 200 5', null],
    ['an error log', '[Wed Oct 11 14:32:52 2000] [error] [client 127.0.0.1] client denied', null],
    ['CSV', 'date,company,email', null],
    ['a line cut in the request', 'h.example [30:14:49:44] "GET /abc', null],
  ];
  test.each(rows)('%s', (_, line, read) => {
    const parsed = parseLogLine(line);
    expect(parsed === null ? null : [parsed.host, parsed.time, parsed.method, parsed.target, parsed.status]).toEqual(read);
  });

  it('reads back what a server writes', () => {
    const word = fc.stringMatching(/^[a-z0-9.-]{1,30}$/);
    const target = fc.string({ maxLength: 60, unit: 'grapheme' }).map((text) => `/${text.replace(/\s/g, '')}`);
    const agent = fc.string({ maxLength: 60 }).map((text) => text.replace(/\n/g, ''));
    const escaped = (text: string): string => text.replace(/["\\]/g, '\\$&');
    fc.assert(
      fc.property(word, target, agent, fc.integer({ min: 100, max: 599 }), fc.boolean(), (host, path, text, status, isCombined) => {
        const tail = isCombined ? ` "${escaped(text)}" "${escaped(text)}"` : '';
        const line = `${host} - - [10/Oct/2000:13:55:36 -0700] "GET ${escaped(path)} HTTP/1.1" ${status} 12${tail}`;
        expect(parseLogLine(line)).toEqual({ host, time: '10/Oct/2000:13:55:36 -0700', method: 'GET', target: path, status });
      }),
    );
  });

  it('takes the longest hostile lines without giving up', () => {
    const hostile = ['" '.repeat(128_000), '\\'.repeat(256_000), '" 200 9'.repeat(36_000), 'HTTP/ '.repeat(42_000), '[ '.repeat(128_000)];
    const isNone = hostile.map((text) => parseLogLine(`h.example [30:14:49:44] "GET /${text}`) === null);
    expect(isNone).toEqual([true, true, false, true, true]);
  });
});

describe('pathOf', () => {
  const rows: [what: string, target: string, path: string][] = [
    ['a path', '/a/b.html', '/a/b.html'],
    ['with a query', '/a?b=/c.gif', '/a'],
    ['with a fragment', '/a#b', '/a'],
    ['a proxy request', 'http://www.example.com/a?b', '/a'],
    ['a proxy request to the root', 'http://www.example.com', '/'],
    ['nothing', '', '/'],
    ['blanks and control characters', '/a b\u0001', '/a%20b%01'],
  ];
  test.each(rows)('%s', (_, target, path) => {
    expect(pathOf(target)).toBe(path);
  });
});
