import { expect, test } from 'vitest';
import { classifyRequest, type RequestClass } from './classify-request.ts';

const rows: [what: string, method: string, target: string, status: number, kind: RequestClass][] = [
  ['a page', 'GET', '/docs/index.html', 200, 'visit'],
  ['a page that has not changed', 'GET', '/', 304, 'visit'],
  ['a form', 'POST', '/cgi-bin/waisgate', 200, 'visit'],
  ['a document', 'GET', '/paper.pdf', 200, 'visit'],
  ['a page that names an image in its query', 'GET', '/show?name=logo.gif', 200, 'visit'],
  ['a directory with a dot', 'GET', '/v1.js/', 200, 'visit'],
  ['an image', 'GET', '/logos/us-flag.gif', 200, 'asset'],
  ['an image in capitals, with a query', 'GET', '/LOGO.JPG?v=2', 304, 'asset'],
  ['an image with attributes behind', 'GET', '/images/warn.gif width=20 height=20', 200, 'asset'],
  ['a style', 'GET', '/main.css', 200, 'asset'],
  ['a script', 'GET', '/app.mjs', 200, 'asset'],
  ['a font', 'GET', '/a.woff2', 200, 'asset'],
  ['an image that is not there', 'GET', '/a.gif', 404, 'failed'],
  ['a page that is not there', 'GET', '/a', 404, 'failed'],
  ['a switch of protocols', 'GET', '/socket', 101, 'failed'],
  ['a look at the head only', 'HEAD', '/', 200, 'otherMethod'],
  ['no method', '', 'cons/book', 200, 'otherMethod'],
];
test.each(rows)('%s', (_, method, target, status, kind) => {
  expect(classifyRequest({ host: 'h.example', time: '', method, target, status })).toBe(kind);
});
