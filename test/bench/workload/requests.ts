import type { Touch } from '@touchstone/codec';
import { Traffic, type World } from './traffic.ts';

export const FORMATS = { single: 'application/json', array: 'application/json', ndjson: 'application/x-ndjson' } as const;
export type Format = keyof typeof FORMATS;

export interface RequestSpec extends World {
  readonly key: string;
  readonly format: Format;
  readonly touches: number;
  readonly touchesPerRequest: number;
}

/** The item that a client would send for a touch: what it does not have is left out. */
export function itemOf(touch: Touch): unknown {
  const entries = Object.entries({ ...touch, occurredAt: new Date(touch.occurredAt).toISOString(), properties: null });
  return Object.fromEntries(entries.filter(([, value]) => value !== null && value !== 0));
}

/** Whole requests, ready to be written to a socket, so that sending them costs the generator next to nothing. */
export function makeRequests(spec: RequestSpec): Buffer[] {
  const traffic = new Traffic(spec);
  const now = Date.now();
  const requests: Buffer[] = [];
  for (let made = 0; made < spec.touches; made += spec.touchesPerRequest) {
    const count = Math.min(spec.touchesPerRequest, spec.touches - made);
    const items = Array.from({ length: count }, () => itemOf(traffic.next(now)));
    requests.push(requestOf(spec.key, spec.format, bodyOf(spec.format, items)));
  }
  return requests;
}

export function requestOf(key: string, format: Format, body: string): Buffer {
  const head = [
    'POST /v1/touches HTTP/1.1',
    'Host: 127.0.0.1',
    `Authorization: Bearer ${key}`,
    `Content-Type: ${FORMATS[format]}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

export function bodyOf(format: Format, items: readonly unknown[]): string {
  if (format === 'single') return JSON.stringify(items[0]);
  return format === 'array' ? JSON.stringify(items) : items.map((item) => `${JSON.stringify(item)}\n`).join('');
}
