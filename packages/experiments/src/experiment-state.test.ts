import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { ExperimentBook } from './experiment-book.ts';
import { experimentSchema } from './experiment-definition.ts';
import { LINEUPS_MAX } from './lineup.ts';
import { applyStep, defaultCreative, type ExperimentState, type ExperimentStep } from './experiment-state.ts';

const DEFINITION = { id: 'hero', campaignId: 'spring', arms: [{ creativeId: 'a' }, { creativeId: 'b' }, { creativeId: 'c' }] };

function step(action: ExperimentStep['action'], expectedRevision: number, change: Partial<ExperimentStep> = {}): ExperimentStep {
  const none = { creativeId: null, weights: null, reason: null, evidence: null };
  const definition = action === 'create' ? JSON.stringify(DEFINITION) : null;
  return { experimentId: 'hero', action, expectedRevision, by: 'key_1', definition, ...none, ...change };
}

/** The state after steps that all apply. */
function after(...steps: readonly ExperimentStep[]): ExperimentState {
  let state: ExperimentState | null = null;
  for (const [index, one] of steps.entries()) {
    const outcome = applyStep(state, one, 1000 * (index + 1));
    if ('refused' in outcome) throw new Error(outcome.refused);
    ({ state } = outcome);
  }
  return state!;
}

const RUNNING = [step('create', 0), step('start', 1)] as const;

function refusedBy(state: ExperimentState | null, one: ExperimentStep): string | null {
  const outcome = applyStep(state, one, 9000);
  return 'refused' in outcome ? outcome.refused : null;
}

describe('the steps of an experiment', () => {
  test('it is created as a draft, with defaults, and started and stopped', () => {
    const draft = after(step('create', 0));
    expect(draft).toMatchObject({ status: 'draft', revision: 1, createdAt: 1000, startedAt: null, out: [] });
    expect(draft.definition).toMatchObject({ control: 'a', flagKey: 'hero', seed: 'hero', mode: 'observe' });
    const stopped = after(...RUNNING, step('stop', 2));
    expect(stopped).toMatchObject({ status: 'stopped', revision: 3, startedAt: 2000, stoppedAt: 3000 });
  });

  test('a creative is swapped out, and brought back', () => {
    const swapped = after(...RUNNING, step('swap', 2, { creativeId: 'a', by: 'auto', evidence: '{"p":0.01}' }));
    expect(swapped.out).toEqual(['a']);
    expect(defaultCreative(swapped)).toBe('b');
    const back = after(...RUNNING, step('swap', 2, { creativeId: 'a' }), step('undo', 3));
    expect(back).toMatchObject({ out: [], keptIn: ['a'] });
    expect(back.history.at(-1)).toMatchObject({ action: 'undo', creativeId: 'a', revision: 4, by: 'key_1' });
  });

  test('accounts get back what they had, by however many swaps and undos', () => {
    const swap = (revision: number, creativeId: string): ExperimentStep => step('swap', revision, { creativeId });
    const { slices } = after(...RUNNING);
    for (const steps of [
      [swap(2, 'c'), step('undo', 3)],
      [swap(2, 'b'), swap(3, 'a'), step('undo', 4), step('undo', 5)],
      [swap(2, 'a'), step('undo', 3), swap(4, 'b'), step('undo', 5)],
    ]) {
      expect(after(...RUNNING, ...steps)).toMatchObject({ slices, formerSlices: [], out: [] });
    }
  });

  test('a creative that was brought back and is swapped out by somebody again may be taken out by itself later', () => {
    const again = [...RUNNING, step('swap', 2, { creativeId: 'a' }), step('undo', 3), step('swap', 4, { creativeId: 'a' })];
    expect(after(...again).keptIn).toEqual([]);
    expect(after(...again, step('undo', 5)).keptIn).toEqual(['a']);
  });

  test('swaps and undos give other creatives to who has seen some, weights do not', () => {
    const create = step('create', 0, { definition: JSON.stringify({ ...DEFINITION, mode: 'thompson' }) });
    const weights = DEFINITION.arms.map((arm, index) => ({ ...arm, weight: index + 1 }));
    const steps = [step('start', 1), step('weights', 2, { weights }), step('swap', 3, { creativeId: 'a' }), step('undo', 4)];
    const { lineups } = after(create, ...steps, step('stop', 5));
    expect(lineups.map(({ movesShown, since }) => [since, movesShown])).toEqual([
      [2000, false],
      [3000, false],
      [4000, true],
      [5000, true],
    ]);
  });

  test('once the control is out, accounts outside get the creative with the most weight', () => {
    const arms = [['a', 9], ['b', 1], ['c', 5], ['d', 2]].map(([creativeId, weight]) => ({ creativeId, weight })); // prettier-ignore
    const create = step('create', 0, { definition: JSON.stringify({ ...DEFINITION, arms }) });
    expect(defaultCreative(after(create, step('start', 1)))).toBe('a');
    expect(defaultCreative(after(create, step('start', 1), step('swap', 2, { creativeId: 'a' })))).toBe('c');
  });

  test('every step is kept with who, when and why', () => {
    const { history } = after(...RUNNING, step('swap', 2, { creativeId: 'b', by: 'auto', reason: 'worse', evidence: '{"p":0.01}' }));
    expect(history.map(({ action, at, revision }) => ({ action, at, revision }))).toEqual([
      { action: 'create', at: 1000, revision: 1 },
      { action: 'start', at: 2000, revision: 2 },
      { action: 'swap', at: 3000, revision: 3 },
    ]);
    expect(history.at(-1)).toMatchObject({ by: 'auto', reason: 'worse', evidence: '{"p":0.01}', creativeId: 'b' });
  });

  const swapped = [...RUNNING, step('swap', 2, { creativeId: 'a' })] as const;
  test.each<[string, readonly ExperimentStep[], ExperimentStep]>([
    ['a step for another revision', RUNNING, step('stop', 1)],
    ['a second creation', [step('create', 0)], step('create', 1)],
    ['a step of none', [], step('start', 0)],
    ['a definition of another id', [], step('create', 0, { definition: JSON.stringify({ ...DEFINITION, id: 'other' }) })],
    ['a definition that is none', [], step('create', 0, { definition: '{' })],
    ['a start of what runs', RUNNING, step('start', 2)],
    ['a start of what is stopped', [...RUNNING, step('stop', 2)], step('start', 3)],
    ['a swap of a draft', [step('create', 0)], step('swap', 1, { creativeId: 'a' })],
    ['a swap of an unknown creative', RUNNING, step('swap', 2, { creativeId: 'z' })],
    ['a swap of what is out', swapped, step('swap', 3, { creativeId: 'a' })],
    ['a swap of the last one', [...swapped, step('swap', 3, { creativeId: 'b' })], step('swap', 4, { creativeId: 'c' })],
    ['an undo of nothing', RUNNING, step('undo', 2)],
    ['weights in another mode', RUNNING, step('weights', 2, { weights: DEFINITION.arms.map((arm) => ({ ...arm, weight: 1 })) })],
  ])('%s changes nothing', (_, before, one) => {
    expect(refusedBy(before.length === 0 ? null : after(...before), one)).not.toBeNull();
  });

  test('a new definition lifts a share to below one, and one on record that does not stays', () => {
    const definition = { ...DEFINITION, expected: { baseline: 0.95 } };
    expect(experimentSchema.safeParse(definition).error?.issues).toMatchObject([{ path: ['expected', 'lift'] }]);
    expect(after(step('create', 0, { definition: JSON.stringify(definition) })).definition.expected).toMatchObject({ lift: 0.2 });
    const mean = { ...definition, metric: 'pointsGained', expected: { baseline: 0.95, deviation: 1 } };
    expect(experimentSchema.safeParse(mean).success).toBe(true);
  });

  test.each<[string, object, (string | number)[][]]>([
    ['beside one that has all', { arms: [{ creativeId: 'a', weight: 1e6 }, { creativeId: 'b', weight: 0.001 }] }, [['arms', 1, 'weight']]], // prettier-ignore
    ['of no coverage to speak of', { coverage: 1e-6 }, [['arms', 0, 'weight'], ['arms', 1, 'weight'], ['arms', 2, 'weight']]], // prettier-ignore
    ['of a coverage that one alone shares in', { coverage: 0.0001, arms: [{ creativeId: 'a', weight: 9 }, { creativeId: 'b' }] }, [['arms', 1, 'weight']]], // prettier-ignore
  ])('a new definition has no arm without accounts: %s', (_, given, paths) => {
    const definition = { ...DEFINITION, ...given };
    const { issues } = experimentSchema.safeParse(definition).error!;
    expect(issues.map(({ path }) => path)).toEqual(paths);
    for (const { message } of issues) expect(message).toMatch(/^gives [abc] none of the 10,000 parts of the accounts/);
    // One on record stays.
    expect(after(step('create', 0, { definition: JSON.stringify(definition) })).status).toBe('draft');
  });

  test('a second creation of an experiment is told of the first', () => {
    expect(refusedBy(after(step('create', 0)), step('create', 0))).toBe('there is an experiment with this id already');
    expect(refusedBy(after(...RUNNING), step('create', 0))).toBe('there is an experiment with this id already');
  });

  test('weights move in mode thompson', () => {
    const create = step('create', 0, { definition: JSON.stringify({ ...DEFINITION, mode: 'thompson' }) });
    const weights = DEFINITION.arms.map((arm, index) => ({ ...arm, weight: index }));
    expect(after(create, step('start', 1), step('weights', 2, { weights })).arms).toEqual(weights);
    expect(refusedBy(after(create, step('start', 1)), step('weights', 2, { weights: weights.slice(1) }))).not.toBeNull();
  });
});

test('of its lineups the newest are kept, with the one before them', () => {
  const book = new ExperimentBook();
  book.apply(step('create', 0), 0);
  book.apply(step('start', 1), 1);
  for (let revision = 2; revision < 2 * LINEUPS_MAX; revision++) {
    book.apply(step(revision % 2 === 0 ? 'swap' : 'undo', revision, { creativeId: 'a' }), revision);
  }
  const { lineups } = book.get('hero')!;
  expect(lineups).toHaveLength(LINEUPS_MAX + 1);
  expect(lineups.at(-1)!.since).toBe(2 * LINEUPS_MAX - 1);
});

test('a flag whose experiments are all stopped is asked for by its key alone', () => {
  const book = new ExperimentBook();
  for (const one of [...RUNNING, step('stop', 2)]) {
    book.apply(one, 1000);
    expect(book.openFlagKeys).toEqual(one.action === 'stop' ? [] : ['hero']);
  }
  expect(book.ofFlag('hero')).toHaveLength(1);
  const definition = JSON.stringify({ ...DEFINITION, id: 'next', flagKey: 'hero' });
  book.apply(step('create', 0, { experimentId: 'next', definition }), 2000);
  expect(book.openFlagKeys).toEqual(['hero']);
});

const anyStep = fc.record({
  action: fc.constantFrom('start' as const, 'stop' as const, 'swap' as const, 'undo' as const),
  expectedRevision: fc.integer({ min: 0, max: 6 }),
  creativeId: fc.constantFrom('a', 'b', 'c'),
});

property.prop([fc.array(anyStep, { maxLength: 30 })])(
  'of steps that expect one revision, one is applied, and revisions have no gap',
  (steps) => {
    const book = new ExperimentBook();
    const all = [
      step('create', 0),
      ...steps.map(({ action, creativeId, expectedRevision }) => step(action, expectedRevision, { creativeId })),
    ];
    const applied = all.filter((one, index) => 'state' in book.apply(one, index));
    const expected = applied.map(({ expectedRevision }) => expectedRevision);
    expect(expected).toEqual(expected.map((_, index) => index));
    const { history, out, revision } = book.get('hero')!;
    expect(revision).toBe(applied.length);
    expect(history).toHaveLength(applied.length);
    expect(out.length).toBeLessThan(3);
  },
);
