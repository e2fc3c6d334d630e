import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ClickHouseStore } from './click-house-store.ts';
import { ServerTransport } from './server-transport.ts';
import { makeCertificate } from './test-certificate.ts';
import { listenWith, SIGNED } from './test-server.ts';

const directory = mkdtempSync(join(tmpdir(), 'touchstone-tls-'));
const caFile = join(directory, 'ca.pem');
const otherFile = join(directory, 'other.pem');
const { cert, key } = makeCertificate();
const authorizations: (string | undefined)[] = [];
const server = createServer({ cert, key }, (request, response) => {
  authorizations.push(request.headers.authorization);
  request.resume().on('end', () => response.writeHead(200, SIGNED).end());
});
let url: string;

beforeAll(async () => {
  writeFileSync(caFile, cert);
  writeFileSync(otherFile, makeCertificate().cert);
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true });
});

async function withStore<Result>(
  options: { url?: string; caFile?: string },
  work: (store: ClickHouseStore) => Promise<Result>,
): Promise<Result> {
  const store = new ClickHouseStore(
    new ServerTransport({ url, username: 'ada', password: 'secret', database: 'default', requestTimeoutMs: 10_000, ...options }),
  );
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

it('speaks TLS with a server whose authority is in the CA file, by the same header as without', async () => {
  await withStore({ caFile }, (store) => store.ping());
  expect(authorizations).toEqual([`Basic ${Buffer.from('ada:secret').toString('base64')}`]);
});

it.each<[what: string, options: () => { url?: string; caFile?: string }, code: string]>([
  ['whose authority nobody knows', () => ({}), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['whose authority is another', () => ({ caFile: otherFile }), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['that goes by another name', () => ({ caFile, url: url.replace('127.0.0.1', 'localhost') }), 'ERR_TLS_CERT_ALTNAME_INVALID'],
])('tells no password to a server %s', async (_, options, code) => {
  const seen = authorizations.length;
  const expected = { code: 'refused', retriable: false, message: expect.stringContaining(code) };
  await expect(withStore(options(), (store) => store.migrate())).rejects.toMatchObject(expected);
  await expect(withStore(options(), (store) => store.ping())).rejects.toMatchObject({ code: 'denied', retriable: true });
  expect(authorizations.length).toBe(seen);
});

it('says that a server speaks no TLS', async () => {
  const plain = await listenWith((_, response) => response.writeHead(200, SIGNED).end());
  try {
    const message = expect.stringContaining('No secure connection to ClickHouse');
    await expect(withStore({ url: plain.url.replace('http:', 'https:') }, (store) => store.migrate())).rejects.toMatchObject({
      code: 'refused',
      message,
    });
  } finally {
    plain.close();
  }
});
