import { encodeFact, TouchWriter } from '@touchstone/codec';
import { accountOf, FACT_TYPES, type FactType, type ScoringModel } from '@touchstone/engine';
import type { EventLog } from '@touchstone/event-log';
import { answerPreflight, systemClock, type Clock, type HttpApp, type Metrics } from '@touchstone/runtime';
import { registerBatchRoutes, type BatchRoute } from './batch-routes.ts';
import { checkTouch } from './check-touch.ts';
import type { EncodeItem } from './ingest-batch.ts';
import { ITEM_BYTES_MAX } from './limits.ts';
import { registerModelRoute, type ModelRouteOptions } from './model-route.ts';
import { QuickTouches } from './quick-touches.ts';
import { isRefusal, type Refusal } from './reject-codes.ts';
import type { DeadLetterStore } from './replay-dead-letters.ts';
import { registerReplayRoute } from './replay-route.ts';
import { touchSchema } from './touch-schema.ts';
import { FACT_SCHEMAS, validateFact } from './validate-fact.ts';
import { validateTouch, type TouchTimes } from './validate-touch.ts';

const DAY_MS = 86_400_000;

export interface IngestOptions {
  readonly log: Pick<EventLog, 'append' | 'partitionCount'>;
  /** The topic that carries touches, facts and models. */
  readonly topic?: string;
  readonly metrics: Metrics;
  readonly clock?: Clock;
  /** The scoring model in force: how old a touch may be. */
  readonly model: () => ScoringModel;
  /** Every model that is or was in force, by version: a version never comes to mean another model. */
  readonly modelVersions: ModelRouteOptions['modelVersions'];
  /** Where records that were set aside are kept; without it there is no route to replay them. */
  readonly deadLetters?: DeadLetterStore;
}

/** Registers the routes by which touches, facts and models come in. */
export async function registerIngest(app: HttpApp, options: IngestOptions): Promise<void> {
  const { log, topic = 'events', metrics, clock = systemClock, deadLetters, model, modelVersions } = options;
  const target = { log, topic, metrics };
  const writer = new TouchWriter();
  const quickTouches = new QuickTouches(writer);
  const touchTimes = (): TouchTimes => {
    const now = clock();
    return { now, oldest: now - model().retentionDays * DAY_MS };
  };

  const touches: BatchRoute = {
    endpoint: 'touches',
    operationId: 'postTouches',
    summary: 'Touches: what people did with the brand',
    itemSchema: touchSchema,
    collect: true,
    encoder: (clean) => touchEncoder(writer, touchTimes(), clean),
    quick: (body, isNdjson) => quickTouches.records(body, isNdjson, touchTimes()),
  };
  const facts = FACT_TYPES.map((type): BatchRoute => ({
    endpoint: ENDPOINTS[type],
    operationId: `post${capitalised(ENDPOINTS[type])}`,
    summary: `Facts of type ${type}, upserted by id`,
    itemSchema: FACT_SCHEMAS[type],
    encoder: () => {
      const now = clock();
      return (item) => encodeFactItem(type, item, now);
    },
  }));
  await app.register(async (scope: HttpApp) => registerBatchRoutes(scope, target, [touches, ...facts]));
  app.options('/v1/touches', { config: { scope: 'public' }, schema: { hide: true } }, answerPreflight);
  registerModelRoute(app, { ...target, clock, modelVersions });
  if (deadLetters !== undefined) registerReplayRoute(app, { ...target, clock, store: deadLetters });
}

const ENDPOINTS = {
  account: 'accounts',
  contact: 'contacts',
  lead: 'leads',
  opportunity: 'opportunities',
  spend: 'spend',
  subscription: 'subscriptions',
} as const satisfies Record<FactType, string>;

const TOO_LARGE: Refusal = { code: 'too_large_item', message: `the item takes more than ${ITEM_BYTES_MAX} bytes` };

export function touchEncoder(writer: TouchWriter, times: TouchTimes, clean: boolean): EncodeItem {
  return function encodeTouch(item) {
    const touch = checkTouch(item, times, clean) ?? validateTouch(item, times);
    if (isRefusal(touch)) return touch;
    writer.write(touch);
    if (writer.end - writer.start > ITEM_BYTES_MAX) return TOO_LARGE;
    return { key: writer.key(), value: writer.value() };
  };
}

function encodeFactItem(type: FactType, item: unknown, now: number): ReturnType<EncodeItem> {
  const fact = validateFact(type, item, now);
  if (isRefusal(fact)) return fact;
  const value = encodeFact(fact);
  return value.length > ITEM_BYTES_MAX ? TOO_LARGE : { key: Buffer.from(accountOf(fact) ?? fact.id), value };
}

function capitalised(word: string): string {
  return word[0]!.toUpperCase() + word.slice(1);
}
