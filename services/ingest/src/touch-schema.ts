import { z } from 'zod';
import { MINUTES_MAX, URL_MAX } from './limits.ts';
import { idText, kindText, optional, plainText, textMap, time } from './text-schemas.ts';

/** A touch as clients send it. */
export const touchSchema = z
  .strictObject({
    id: optional(idText).describe(
      'Idempotency key: sent again for the same account within 48 hours, it counts once. Made when absent, and then a repeat counts again',
    ),
    accountId: optional(idText).describe('The company. Without it the touch needs a contactId, is kept, and counts once it is resolved'),
    contactId: optional(idText).describe('The person'),
    kind: kindText.describe('What happened, such as web_visit, form_fill or meeting; others are welcome'),
    occurredAt: optional(time).describe('When it happened, at most 5 minutes ahead of the clock here; by default now'),
    minutes: optional(z.number().min(0).max(MINUTES_MAX)).describe('Minutes spent; by default 0'),
    channel: optional(idText).describe('Where it came from, such as email or paid_social'),
    campaignId: optional(idText),
    creativeId: optional(idText),
    url: optional(plainText(1, URL_MAX)).describe('The page it happened on'),
    source: optional(idText).describe('The system that reports it'),
    properties: optional(textMap).describe('Anything else, by name; rules of the scoring model can match on it'),
  })
  .meta({ id: 'Touch', anyOf: [{ required: ['accountId'] }, { required: ['contactId'] }] });
