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
 *
 * In the other runs there are the rules of the default model, and of their alerts nothing is looked at but that they do no harm.
 */

/** A model with rules of every kind, whose levels these histories cross often. */
export function modelWithRules(random: Random): ScoringModel {
  const cooldown = (): string => random.pick(['0s', '30m', '6h', '3d']);
  const some = <T>(values: readonly T[]): T[] => values.filter(() => random.chance(0.7));
  const enter = random.pick([5, 20, 40]);
  const engagedAt = random.whole(1, 3);
  return scoringModelSchema.parse({
    ...defaultModel,
    version: 'with-rules',
    decay: { kind: 'exponential', halfLifeDays: random.pick([1, 7, 14]) },
    thresholds: [
      { id: 'hot', metric: 'score', enter, exit: random.chance(0.5) ? enter : enter / 2, cooldown: cooldown() },
      ...some([
        { id: 'points', metric: 'points', enter: random.pick([1, 10]), byTier: { first: { enter: 3, exit: 2 } } },
        { id: 'wide', metric: 'contacts.30d', enter: random.whole(2, 4), cooldown: cooldown() },
        {
          id: 'busy',
          metric: random.pick(['touches.24h', 'minutes.7d', 'kind.meeting.24h']),
          enter: random.whole(1, 5),
          cooldown: cooldown(),
        },
        { id: 'fresh', metric: 'newContacts.7d', enter: 1, filter: { tier: ['first', 'second'] } },
        { id: 'covered', metric: 'coverage', enter: 0.5 },
        { id: 'reached', metric: 'reach', enter: 2, filter: { targetList: true } },
      ]),
    ],
    qualification: {
      ...(random.chance(0.3) && { filter: { tier: 'first' } }),
      ...(random.chance(0.5) && { exclude: { industry: 'none' } }),
      atLeast: random.whole(1, 2),
      of: [
        { id: 'score', metric: 'score', atLeast: random.pick([3, 15]), byTier: { second: 30 } },
        { id: 'touches', metric: 'touches.7d', atLeast: 2 },
      ],
      minContacts: random.whole(1, 2),
      actNow: random.chance(0.5) ? [{ kind: 'form_fill' }, { kind: 'meeting', minMinutes: 30 }] : [],
      actNowDays: random.pick([1, 7]),
    },
    stages: [
      { id: 'aware', metrics: [{ metric: 'touches.90d', atLeast: 1 }] },
      { id: 'engaged', engaged: true, metrics: [{ metric: 'contacts.7d', atLeast: engagedAt }] },
      { id: 'qualified', qualified: true },
      { id: 'open', opportunity: 'open' },
      { id: 'customer', opportunity: 'won' },
    ],
    surge: { ratio: random.pick([1.5, 3]), minimum: random.pick([2, 10]), fleetRatio: random.pick([0.5, 1, 1.5]), cooldown: cooldown() },
    watches: some([
      { id: 'champion-silent', kind: 'role_silent', role: 'champion', days: random.pick([1, 7, 21]) },
      { id: 'single', kind: 'single_threaded', minTouches: random.whole(2, 5) },
      { id: 'decider', kind: 'role_engaged', role: 'decision_maker' },
    ]),
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
