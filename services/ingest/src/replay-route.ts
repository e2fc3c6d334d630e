import { DEAD_LETTER_REASONS } from '@touchstone/engine';
import type { Clock, HttpApp } from '@touchstone/runtime';
import { z } from 'zod';
import { answered, replayDeadLetters, type ReplayTarget } from './replay-dead-letters.ts';

export interface ReplayRouteOptions extends ReplayTarget {
  readonly clock: Clock;
}

/** Of a call, so that it is answered well within the time a request has. */
const REPLAYS_MAX = 1000;
const REASONS = Object.keys(DEAD_LETTER_REASONS) as [string, ...string[]];
const PARTITION_MAX = 65_535;
/** No record is older than 1970 or younger than 9999, so a bound beyond says no less than these. */
const TIME_MAX = 253_402_300_799_999;

const place = z.object({ partition: z.int().min(0).max(PARTITION_MAX), offset: z.int().min(0) }).meta({ id: 'DeadLetterPlace' });

const requestSchema = z
  .strictObject({
    items: z.array(z.strictObject(place.shape)).min(1).max(REPLAYS_MAX).optional().describe('The ones to replay, by their places'),
    open: z
      .strictObject({
        reason: z.enum(REASONS).optional(),
        partition: place.shape.partition.optional(),
        before: z.iso
          .datetime({ offset: true })
          .optional()
          .describe('Only those the log took before; default now. Give back `before` of the answer to go on'),
      })
      .optional()
      .describe(`All that were never replayed and fit this, oldest first, ${REPLAYS_MAX} a call`),
    force: z.boolean().default(false).describe('With `items`: also those that were replayed before'),
  })
  .refine(({ items, open }) => (items === undefined) !== (open === undefined), { message: 'must have one of items and open' })
  .refine(({ force, open }) => !force || open === undefined, { path: ['force'], message: 'must come with items only' })
  .meta({ id: 'ReplayRequest' });

const answerSchema = z
  .object({
    replayed: z.array(place).readonly().describe('On the log again, durably'),
    skipped: z
      .array(place.extend({ code: z.enum(['not_found', 'already_replayed', 'too_large']) }).meta({ id: 'SkippedReplay' }))
      .readonly()
      .describe('The other items'),
    remaining: z.boolean().describe('Of `open`: whether more fit'),
    before: z.string().nullable().describe('Of `open`: the time to call again with, so that what is set aside again is left out'),
  })
  .meta({ id: 'ReplayResult' });

const DESCRIPTION = [
  'Appends the records, with key and bytes as they were, to the partitions they stood on, to be applied as if they came now. One whose cause',
  'is not mended becomes a dead letter again, at its new place.',
  '\n\nA touch counts once: should an answer be lost, or a replay be repeated with `force`, its id tells, within the horizon in which ids are',
  'remembered (48 hours by default). Beyond it, replayed by `force`, it counts again. Facts are upserts, the newer `updatedAt` stands.',
]
  .join(' ')
  .replaceAll(' \n', '\n');

/** POST /v1/dead-letters/replay: what was set aside goes onto the log again, once its cause is mended. */
export function registerReplayRoute(app: HttpApp, { clock, ...target }: ReplayRouteOptions): void {
  app.post(
    '/v1/dead-letters/replay',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'replayDeadLetters',
        summary: 'Put dead letters on the log again',
        description: DESCRIPTION,
        tags: ['dead letters'],
        body: requestSchema,
        response: { 202: answerSchema },
      },
    },
    async (request, reply) => {
      const { items, open = {}, force } = request.body;
      const now = clock();
      const before = open.before === undefined ? now : Math.min(Math.max(0, Date.parse(open.before)), TIME_MAX);
      const { partition, reason } = open;
      const found =
        items ??
        (await answered(
          target,
          target.store.deadLetters({
            ...(reason !== undefined && { reason }),
            ...(partition !== undefined && { partition }),
            replayed: false,
            oldestFirst: true,
            before: { appendedAt: before, partition: 0, offset: 0 },
            limit: REPLAYS_MAX + 1,
            valueBytesMax: 0,
          }),
        ));
      const { replayed, skipped } = await replayDeadLetters(target, found.slice(0, REPLAYS_MAX), { force, now });
      request.log.info({ replayed: replayed.length, skipped: skipped.length, keyId: request.caller?.keyId }, 'dead letters were replayed');
      return reply.code(202).send({
        replayed,
        skipped,
        remaining: found.length > REPLAYS_MAX,
        before: items === undefined ? new Date(before).toISOString() : null,
      });
    },
  );
}
