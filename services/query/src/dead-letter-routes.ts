import { DEAD_LETTER_REASONS } from '@touchstone/engine';
import { ProblemError } from '@touchstone/runtime';
import type { StoredDeadLetter } from '@touchstone/store';
import { z } from 'zod';
import { time, timeText, timeTextOrNull } from './answers.ts';
import { decodeCursor, encodeCursor } from './cursors.ts';
import type { QueryApp, QueryOptions } from './query-options.ts';
import { limit, offset, partition, TIME_MAX } from './query-parameters.ts';
import { previewOf, showRecord } from './show-record.ts';

/** In a list, longer values are not decoded: a touch has a few hundred bytes, and a page should not have megabytes. */
const LISTED_BYTES_MAX = 4096;

const REASONS = Object.keys(DEAD_LETTER_REASONS) as [string, ...string[]];
const MEANINGS = Object.entries(DEAD_LETTER_REASONS).map(([reason, means]) => `- \`${reason}\`: ${means}`);

const letterSchema = z
  .object({
    partition: z.int(),
    offset: z.int().describe('With the partition, where it stands on the log'),
    appendedAt: time.describe('When the log took it'),
    reason: z.string().describe('Why it was set aside, from a closed list'),
    detail: z.string().describe('The same for people: names the field and the limit'),
    replayedAt: time.nullable().describe('When it was put on the log again, the last time; null while it is open'),
    key: z.string().nullable().describe('The key of the record as text'),
    valueBytes: z.int(),
    record: z
      .record(z.string(), z.unknown())
      .nullable()
      .describe('What it says, by its `type`, if this version can read it; null too for a value over 4096 bytes in a list'),
    preview: z.string().describe('The first 200 bytes as text; what is not printable ASCII shows as a dot'),
  })
  .meta({ id: 'DeadLetter' });

const wholeSchema = letterSchema
  .extend({ keyBase64: z.base64().nullable(), valueBase64: z.base64().describe('The record as it stands on the log') })
  .meta({ id: 'WholeDeadLetter' });

const listQuery = z.strictObject({
  reason: z.enum(REASONS).optional(),
  partition: partition.optional(),
  state: z.enum(['open', 'replayed', 'all']).default('open').describe('Those never put on the log again, those that were, or both'),
  limit: limit(200, 50),
  cursor: z.string().max(200).optional().describe('nextCursor of the page before; keep the other parameters'),
});

const place = z.object({ appendedAt: z.int().min(0).max(TIME_MAX), partition: z.int().min(0).max(65_535), offset: z.int().min(0) });

/** Records that were set aside, for admins, because a value may hold anything. From the store: a moment after they are met. */
export function registerDeadLetterRoutes(app: QueryApp, { store }: Pick<QueryOptions, 'store'>): void {
  app.get(
    '/v1/dead-letters',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'listDeadLetters',
        summary: 'Records that could not be read or applied, newest first',
        description: `They never stop their partition, and count nothing until they are replayed. Reasons:\n\n${MEANINGS.join('\n')}`,
        tags: ['dead letters'],
        querystring: listQuery,
        response: {
          200: z
            .object({
              data: z.array(letterSchema),
              nextCursor: z.string().nullable().describe('Give it back as `cursor` for the next page; null on the last'),
            })
            .meta({ id: 'DeadLetterPage' }),
        },
      },
    },
    async (request) => {
      const { cursor, limit: most, partition: only, reason, state } = request.query;
      const letters = await store.deadLetters({
        ...(reason !== undefined && { reason }),
        ...(only !== undefined && { partition: only }),
        ...(state !== 'all' && { replayed: state === 'replayed' }),
        ...(cursor !== undefined && { before: decodeCursor(cursor, place) }),
        limit: most + 1,
        valueBytesMax: LISTED_BYTES_MAX,
      });
      const page = letters.slice(0, most);
      const last = letters.length > most ? page.at(-1) : undefined;
      return {
        data: page.map(answer),
        nextCursor: last ? encodeCursor({ appendedAt: last.appendedAt, partition: last.partition, offset: last.offset }) : null,
      };
    },
  );

  app.get(
    '/v1/dead-letters/:partition/:offset',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'getDeadLetter',
        summary: 'One dead letter, whole',
        tags: ['dead letters'],
        params: z.object({ partition, offset }),
        response: { 200: wholeSchema },
      },
    },
    async (request) => {
      const [letter] = await store.deadLettersAt([request.params]);
      if (letter === undefined) throw new ProblemError('not_found', 'there is no dead letter of this partition and offset');
      const { key, value } = letter;
      return { ...answer(letter), keyBase64: key && base64(key), valueBase64: base64(value) };
    },
  );
}

function answer(letter: StoredDeadLetter): z.input<typeof letterSchema> {
  const { detail, key, offset: at, partition: of, reason, value, valueBytes } = letter;
  return {
    partition: of,
    offset: at,
    appendedAt: timeText(letter.appendedAt),
    reason,
    detail,
    replayedAt: timeTextOrNull(letter.replayedAt),
    key: key && Buffer.from(key).toString(),
    valueBytes,
    record: value.length === valueBytes ? showRecord(value) : null,
    preview: previewOf(value),
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
