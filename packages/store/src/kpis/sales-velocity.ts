import { known, outcome, plus, product, quotient } from '@touchstone/kpis';
import { declareKpi } from './kpi.ts';
import { aggregateOf, countOf, moneyOf, type Measure } from './measure.ts';

const CLOSED = { at: 'closed_at' } as const;
const DAYS = `(toUnixTimestamp64Milli(closed_at) - toUnixTimestamp64Milli(created_at)) / 86400000`;

function ofWon(aggregate: string): Measure {
  return aggregateOf('opportunities', CLOSED, {
    isMoney: false,
    whenAbsent: 'missing',
    value: () => `${aggregate}(${DAYS}, outcome = 'won' AND closed_at >= created_at)`,
  });
}

/** Of opportunities made in the span whose account had been touched before: from its first touch ever. */
function fromFirstTouch(aggregate: string): Measure {
  const days = `(toUnixTimestamp64Milli(created_at) - toUnixTimestamp64Milli(firstAt)) / 86400000`;
  return {
    table: 'opportunities',
    isMoney: false,
    whenAbsent: 'missing',
    rows: {
      key: 'opportunities with their first touch',
      from: (scope) => `(SELECT made.*, touched.firstAt AS firstAt FROM ${scope.rows('opportunities', { at: 'created_at' })} AS made
        INNER JOIN (SELECT account_id, min(occurred_at) AS firstAt FROM touches WHERE account_id != '' GROUP BY account_id) AS touched ON made.account_id = touched.account_id)`,
    },
    value: () => `${aggregate}(${days}, firstAt < created_at)`,
  };
}

export const salesVelocity = declareKpi({
  name: 'sales_velocity',
  title: 'Sales velocity',
  unit: 'currency_per_day',
  formula:
    'Opportunities in work (open as the period ends, or closed in it) x win rate x mean amount of those won / mean days from their creation to their close: the money that comes in a day. With the ' +
    "mean and median days from an account's first touch to an opportunity made in the period, and from an opportunity to its being won in it.",
  source: 'Sales velocity equation: opportunities x deal value x win rate / length of the sales cycle.',
  inputs: ['opportunities', 'touches'],
  better: 'higher',
  figures: {
    cycleDays: 'Mean days from creation to close, of those won',
    medianCycleDays: 'The median of the same',
    withoutCycle: 'Of those won: closed before they were made, as far as is told, and so left out of the days',
    firstTouchDays: "Mean days from an account's first touch to its opportunity",
    medianFirstTouchDays: 'The median of the same',
    inWork: 'Opportunities in work',
    winRate: 'In percent',
    meanValue: 'Mean amount of those won that have one',
  },
  example: {
    inputs: {
      won: 10,
      closed: 20,
      open: 30,
      wonAmount: 100_000,
      wonWithAmount: 10,
      cycleDays: 50,
      medianCycleDays: 45,
      withoutCycle: 0,
      firstTouchDays: 30,
      medianFirstTouchDays: 20,
    },
    value: 5000,
  },
  measures: {
    won: countOf('opportunities', CLOSED, () => "outcome = 'won'"),
    closed: countOf('opportunities', CLOSED, () => "outcome != ''"),
    open: countOf('opportunities', { from: 'created_at', to: 'closed_at', edge: 'end' }),
    wonAmount: moneyOf('opportunities', CLOSED, 'amount', 'missing', () => "outcome = 'won'"),
    wonWithAmount: countOf('opportunities', CLOSED, () => "outcome = 'won' AND amount IS NOT NULL"),
    cycleDays: ofWon('avgOrNullIf'),
    medianCycleDays: ofWon('quantileExactInclusiveOrNullIf(0.5)'),
    withoutCycle: countOf('opportunities', CLOSED, () => "outcome = 'won' AND closed_at < created_at"),
    firstTouchDays: fromFirstTouch('avgOrNullIf'),
    medianFirstTouchDays: fromFirstTouch('quantileExactInclusiveOrNullIf(0.5)'),
  },
  combine: ({
    closed,
    cycleDays,
    firstTouchDays,
    medianCycleDays,
    medianFirstTouchDays,
    open,
    withoutCycle,
    won,
    wonAmount,
    wonWithAmount,
  }) => {
    const inWork = plus(open, closed);
    const rate = quotient(won, closed, 'no opportunity was closed in the period');
    const meanValue = quotient(wonAmount, wonWithAmount, 'no opportunity that was won in the period has an amount');
    const brought = product(inWork, rate, meanValue);
    return outcome(quotient(brought, cycleDays, 'opportunities were won at the instant they were made'), {
      numerator: brought,
      denominator: cycleDays,
      figures: {
        cycleDays,
        medianCycleDays,
        withoutCycle,
        firstTouchDays,
        medianFirstTouchDays,
        inWork,
        winRate: product(rate, known(100)),
        meanValue,
      },
    });
  },
});
