import { encodeModelPublished } from '@touchstone/codec';
import { defaultModel, scoringModelSchema, type ScoringModel } from '@touchstone/engine';
import { AGGREGATOR_GROUP, EVENTS_TOPIC } from '@touchstone/event-log';
import type { Random } from '../support/random.ts';
import type { System } from './system.ts';

/**
 * Runs with rules. The set of alerts, each with its content, must be that of one undisturbed pass over the final log, ticks included. Such a
 * pass knows one model: where another takes over depends on when its records and restores fall, so a change of model may give other alerts in
 * another life, rightly. Therefore the model with the rules is in force before anything happens, and no other follows it. And what is not stored
 * moves the engine's clock too, which a restore can't know where the log's clock falls; so there it does not.
 */

/** A model with rules of every kind that change often in these histories. */
export function modelWithRules(random: Random): ScoringModel {
  const cooldown = (): string => random.pick(['0s', '30m', '6h', '3d']);
  return scoringModelSchema.parse({
    ...defaultModel,
    version: 'with-rules',
    thresholds: [{ id: 'hot', metric: 'score', enter: random.pick([10, 30, 60]), cooldown: cooldown() }],
    surge: { ratio: random.pick([1.5, 3]), minimum: random.pick([2, 10]), fleetRatio: random.pick([0.5, 1, 1.5]), cooldown: cooldown() },
  });
}

/** As if the model had been published, stored, taken over and committed before: it is the first record of each partition. */
export function beginWithRules(model: ScoringModel, { broker, calendar, database, expected, watcher }: System): void {
  const at = calendar.now();
  for (const partition of broker.partitionsOf(EVENTS_TOPIC)) {
    const { generation, index } = partition;
    const entry = { type: 'model' as const, model };
    const records = [{ key: null, value: encodeModelPublished(model, at), partition: index, entry }];
    for (const appended of broker.append(EVENTS_TOPIC, records, at)) expected[index]!.add(appended);
    database.insertFacts([{ partition: index, offset: 0, appendedAt: at, fact: entry }]);
    database.insertPositions([
      {
        partition: index,
        generation,
        offset: 1,
        touches: { count: 0, byteLength: 0, add() {} },
        facts: [],
        deadLetters: [],
        transitions: [],
      },
    ]);
    broker.committedOf(EVENTS_TOPIC, AGGREGATOR_GROUP).set(index, { offset: 1, generation });
    watcher.committed(index, 1, true);
  }
}
