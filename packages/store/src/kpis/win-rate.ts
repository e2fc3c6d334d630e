import { known, minus, product, quotient, ratio } from '@touchstone/kpis';
import { declareKpi } from './kpi.ts';
import { countOf } from './measure.ts';

const CLOSED = { at: 'closed_at' } as const;
const OF_TARGET = `account_id IN (SELECT id FROM accounts FINAL WHERE target_list)`;

export const winRate = declareKpi({
  name: 'win_rate',
  title: 'Win rate',
  unit: 'percent',
  formula:
    'Opportunities closed in the period that were won, divided by all closed in it, times 100; the same of the target list and of the rest. /v1/win-rates tells it with intervals, since small ' +
    'samples mislead.',
  source: 'Win rate: won by won and lost, by the date of the close.',
  inputs: ['opportunities', 'accounts'],
  better: 'higher',
  figures: { targetList: 'Of accounts on the target list, in percent', rest: 'Of the others, in percent' },
  example: { inputs: { won: 30, closed: 50, targetsWon: 18, targetsClosed: 25 }, value: 60 },
  measures: {
    won: countOf('opportunities', CLOSED, () => "outcome = 'won'"),
    closed: countOf('opportunities', CLOSED, () => "outcome != ''"),
    targetsWon: countOf('opportunities', CLOSED, () => `outcome = 'won' AND ${OF_TARGET}`),
    targetsClosed: countOf('opportunities', CLOSED, () => `outcome != '' AND ${OF_TARGET}`),
  },
  combine: ({ closed, targetsClosed, targetsWon, won }) => {
    const ofTargets = quotient(targetsWon, targetsClosed, 'no opportunity of the target list was closed');
    const ofRest = quotient(minus(won, targetsWon), minus(closed, targetsClosed), 'no other opportunity was closed');
    return ratio(won, closed, {
      times: 100,
      whenZero: 'no opportunity was closed in the period',
      figures: { targetList: product(ofTargets, known(100)), rest: product(ofRest, known(100)) },
    });
  },
});
