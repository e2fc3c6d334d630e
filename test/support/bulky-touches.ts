import type { Touch } from '@touchstone/codec';

const URL_UNITS = 2000;
const TOUCHES_OF_AN_ACCOUNT = 40;

/** Touches of some two kilobytes each, of one account after another: what bytes may wait is soon used up. */
export function* bulkyTouches(count: number): Generator<Touch> {
  const now = Date.now();
  const page = `/${'x'.repeat(URL_UNITS)}`;
  for (let i = 0; i < count; i++) {
    yield {
      id: `touch-${i}`,
      accountId: `account-${Math.floor(i / TOUCHES_OF_AN_ACCOUNT)}`,
      contactId: `contact-${i % 7}`,
      kind: i % 7 === 0 ? 'meeting' : 'web_visit',
      occurredAt: now - i * 1000,
      minutes: i % 11,
      channel: null,
      campaignId: i % 3 === 0 ? 'spring' : null,
      creativeId: null,
      url: `${page}${i}`,
      source: null,
      properties: {},
    };
  }
}
