import { durationMs, durationSchema } from '@touchstone/engine';
import { ProblemError } from '@touchstone/runtime';
import type { AlertAction, StoredAlert } from '@touchstone/store';
import { z } from 'zod';
import { alertSchema, storedAlertAnswer } from './alert-answers.ts';
import { findAlert } from './alert-routes.ts';
import { timeText } from './answers.ts';
import type { LiveFeed } from './live-feed.ts';
import type { QueryApp, QueryOptions } from './query-options.ts';
import { TIME_MAX } from './query-parameters.ts';

/** A snooze is no way to forget an alert for good: for that there is an ack. */
const SNOOZE_MAX_MS = 366 * 86_400_000;

/** The store keeps UTF-8, which has no half surrogate pairs; and it is shown on terminals and in chats. */
const plainText = (most: number) =>
  z
    .string()
    .max(most)
    .refine((text) => text.isWellFormed() && !/(?!\n)\p{Cc}/u.test(text), {
      error: 'must be well-formed Unicode without control characters',
      params: { code: 'invalid_unicode' },
    });

const said = {
  by: plainText(128).min(1).optional().describe('Who did it; by default the id of the API key'),
  note: plainText(1000).default('').describe('For people'),
};
const saidSchema = z.strictObject(said).meta({ id: 'AlertAction' });
const snoozeSchema = z
  .strictObject({
    ...said,
    until: z
      .union([z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)), z.int().min(0).max(TIME_MAX)])
      .nullable()
      .optional()
      .describe('When it is over, not in the past: RFC 3339 with an offset, or epoch milliseconds; null for at once'),
    for: durationSchema.optional(),
  })
  .refine(({ for: duration, until }) => (duration === undefined) !== (until === undefined), 'must have either until or for')
  .meta({ id: 'AlertSnooze' });

const params = z.object({ alertId: z.string().min(1).max(128) });

const ACTIONS = [
  ['ack', 'ack', 'ackAlert', 'Say that somebody takes care of an alert', 'The first ack stands.'],
  ['useful', 'useful', 'markUseful', 'Say that an alert was useful', 'What is said last stands. It counts in the precision of the rule.'],
  ['not-useful', 'not_useful', 'markNotUseful', 'Say that an alert was not useful', 'As `useful`.'],
] as const;

type Said = Omit<AlertAction, 'alertId'>;
type Options = Pick<QueryOptions, 'clock' | 'metrics' | 'store'> & { readonly feed: Pick<LiveFeed, 'alertOf'> };

/** What people do about alerts. It is kept; saying the same again changes nothing. */
export function registerAlertActionRoutes(app: QueryApp, options: Options): void {
  const { clock, metrics, store } = options;

  async function act(alertId: string, done: Said): Promise<z.input<typeof alertSchema>> {
    const found = await findAlert(options, alertId);
    if (found === null) throw new ProblemError('not_found', 'there is no alert with this id');
    await store.saveAlertAction({ alertId, ...done });
    metrics.count('alert_actions_total', { action: done.action });
    return storedAlertAnswer(withAction(found, done), done.at);
  }

  for (const [path, action, operationId, summary, description] of ACTIONS) {
    app.post(
      `/v1/alerts/:alertId/${path}`,
      {
        config: { scope: 'admin' },
        schema: { operationId, summary, description, tags: ['alerts'], params, body: saidSchema, response: { 200: alertSchema } },
      },
      (request) => {
        const { by = request.caller!.keyId, note } = request.body;
        return act(request.params.alertId, { action, by, note, until: null, at: clock() });
      },
    );
  }

  app.post(
    '/v1/alerts/:alertId/snooze',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'snoozeAlert',
        summary: 'Put an alert off',
        description: 'Until an instant, or for a while, at most 366 days. The latest snooze stands; one with `until` null ends it.',
        tags: ['alerts'],
        params,
        body: snoozeSchema,
        response: { 200: alertSchema },
      },
    },
    (request) => {
      const at = clock();
      const { by = request.caller!.keyId, for: duration, note } = request.body;
      const { until: asked } = request.body;
      const until = asked === undefined ? at + durationMs(duration!) : (asked ?? at);
      if (until < at) throw refused('until', `must not be in the past; it is ${timeText(at)}`);
      if (until > at + SNOOZE_MAX_MS) {
        throw refused(asked === undefined ? 'for' : 'until', `must not go beyond 366 days from now, ${timeText(at + SNOOZE_MAX_MS)}`);
      }
      return act(request.params.alertId, { action: 'snooze', by, note, until, at });
    },
  );
}

function refused(field: 'until' | 'for', what: string): ProblemError {
  const detail = `${field} ${what}`;
  return new ProblemError('invalid_request', detail, { errors: [{ in: 'body', pointer: `#/${field}`, detail }] });
}

/** As the store would say it. */
function withAction(found: Omit<StoredAlert, 'offset'>, { action, at, by, note, until }: Said): Omit<StoredAlert, 'offset'> {
  if (action === 'ack') return { ...found, acked: found.acked ?? { by, at, note } };
  if (action === 'snooze') return { ...found, snoozedUntil: until };
  return { ...found, useful: action === 'useful' };
}
