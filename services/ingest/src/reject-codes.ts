import { ISSUE_CODES } from '@touchstone/runtime';
import { z } from 'zod';

/** Why an item was rejected: a closed list. README.md holds it for people, and a test compares the two. */
export const REJECT_CODES = {
  ...ISSUE_CODES,
  malformed_json: 'the line is not valid JSON (NDJSON only; elsewhere the whole request fails)',
  not_an_object: 'the item is no JSON object',
  forbidden_key: 'a key is __proto__, constructor or prototype',
  in_the_future: 'occurredAt or updatedAt is more than 5 minutes ahead of the clock of the server',
  too_old: "occurredAt is older than the scoring model's retention, 400 days by default",
  too_large_item: 'the item takes more than 32 KiB',
} as const;

export type RejectCode = keyof typeof REJECT_CODES;

/** Why an item is not taken. */
export interface Refusal {
  readonly code: RejectCode;
  /** Names the field and the limit. */
  readonly message: string;
}

/** What a client is told of one item that was not taken. */
export interface Rejection extends Refusal {
  /** Position in the request, from 0; in NDJSON blank lines do not count. */
  readonly index: number;
  /** The item's own id, when it had a usable one. */
  readonly id: string | null;
}

export function isRefusal(result: object): result is Refusal {
  return 'code' in result;
}

export const rejectionSchema = z
  .object({
    index: z.int().min(0).describe('Position in the request, from 0; blank lines of NDJSON do not count'),
    id: z.string().nullable().describe("The item's own id, when it had a usable one"),
    code: z.enum(Object.keys(REJECT_CODES) as [RejectCode, ...RejectCode[]]).describe('For programs; from a closed list'),
    message: z.string().describe('For people: names the field and the limit'),
  })
  .meta({ id: 'Rejection' });
