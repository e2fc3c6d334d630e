import { LedgerSet, PartitionLedgers, pointsOf, scoreOf, scoringModelSchema, type ScoringModel } from '@touchstone/engine';
import { assign, currentExperiment, ExperimentBook, type ExperimentStep, type Held } from '@touchstone/experiments';
import { describe, expect, it } from 'vitest';
import { Decider, etagOf, type Evaluation } from './decider.ts';
import { applyBlock, blocksOf, NOW, type MadeTouch } from './test-evidence.ts';

const HOUR_MS = 3_600_000;
/** A meeting is 14 points, and as many are a score of 50. */
const given = {
  version: 'm-1',
  halfScorePoints: 14,
  decay: { kind: 'exponential', halfLifeDays: 1 },
  rules: [{ id: 'meeting', kind: 'meeting', points: 14 }],
};
const plain = scoringModelSchema.parse(given);

interface World {
  readonly decider: Decider;
  readonly book: ExperimentBook;
  readonly ledgers: PartitionLedgers;
  /** Creatives that accounts were shown. */
  readonly held: Map<string, Held>;
  now: number;
  step(action: ExperimentStep['action'], id?: string, change?: Partial<ExperimentStep>): void;
  create(definition: { readonly id: string; readonly [field: string]: unknown }): void;
}

function openWorld(touches: readonly MadeTouch[] = [meeting(1)], model: ScoringModel = plain): World {
  const ledgers = new PartitionLedgers(0, model);
  for (const block of blocksOf(touches)) applyBlock(ledgers, block, false);
  const set = new LedgerSet();
  set.replace([ledgers]);
  const [book, held] = [new ExperimentBook(), new Map<string, Held>()];
  const none = { by: 'k', definition: null, creativeId: null, weights: null, reason: null, evidence: null };
  const world: World = {
    book,
    held,
    ledgers,
    now: NOW,
    decider: new Decider({
      ledgers: set,
      book,
      clock: () => world.now,
      heldBy: (_, partition, id) => held.get(`${partition} ${id}`) ?? null,
    }),
    step(action, id = 'hero', change = {}) {
      const outcome = book.apply({ ...none, experimentId: id, action, expectedRevision: book.get(id)?.revision ?? 0, ...change }, NOW);
      if ('refused' in outcome) throw new Error(outcome.refused);
    },
    create({ id, ...rest }) {
      const arms = [{ creativeId: 'a' }, { creativeId: 'b' }];
      world.step('create', id, { definition: JSON.stringify({ id, campaignId: 'spring', arms, ...rest }) });
    },
  };
  return world;
}

/** With a running experiment `hero`. */
function running(definition: object = {}, ...rest: Parameters<typeof openWorld>): World {
  const world = openWorld(...rest);
  world.create({ id: 'hero', ...definition });
  world.step('start');
  return world;
}

function meeting(account: number): MadeTouch {
  return { account, kind: 'meeting', creativeId: null };
}

const said = ({ metadata, reason, value, variant }: Evaluation) => ({
  cause: metadata['cause'],
  counted: metadata['counted'],
  reason,
  value,
  variant,
});
const hero = ({ decider }: World, accountId = 'a1') => {
  return said(decider.evaluate('hero', accountId)!);
};

describe('an answer', () => {
  it('is what the hash says, and says so', () => {
    const world = running();
    const { creativeId } = assign(currentExperiment(world.book.get('hero')!), 'a1');
    expect(hero(world)).toEqual({ cause: 'assigned', counted: true, reason: 'SPLIT', value: creativeId, variant: creativeId });
  });

  it('is the creative that was shown before, of the partition of the account', () => {
    const world = running();
    const { variant } = hero(world);
    const other = variant === 'a' ? 'b' : 'a';
    world.held.set('1 a1', { creativeId: other, exposedAt: NOW });
    expect(hero(world).variant).toBe(variant);
    world.held.set('0 a1', { creativeId: other, exposedAt: NOW });
    expect(hero(world)).toEqual({ cause: 'shown_before', counted: true, reason: 'SPLIT', value: other, variant: other });
    world.now = NOW + 14 * 24 * HOUR_MS;
    expect(hero(world)).toMatchObject({ cause: 'assigned', variant });
  });

  it('has no value for an account that is held out: the default of the caller stands', () => {
    const touches = Array.from({ length: 40 }, (_, account) => meeting(account));
    const world = running({ holdout: 0.9 }, touches);
    const answers = touches.map(({ account }) => world.decider.evaluate('hero', `a${account}`)!);
    const out = answers.filter(({ metadata }) => metadata['cause'] === 'holdout');
    expect(out.length).toBeGreaterThan(20);
    for (const answer of out) {
      expect(answer).toMatchObject({ variant: 'holdout', reason: 'SPLIT', metadata: { counted: false } });
      expect(answer).not.toHaveProperty('value');
    }
  });

  it.each([
    ['is not targeted', { targeting: { bands: ['hot'] } }, 'a1', 'not_targeted', 'STATIC'],
    ['is not covered', { coverage: 0.0001 }, 'a1', 'not_covered', 'STATIC'],
    ['is not known', {}, 'a2', 'unknown_account', 'UNKNOWN'],
  ])('is the control for an account that %s', (_, definition, accountId, cause, reason) => {
    expect(hero(running({ ...definition, control: 'b' }), accountId)).toEqual({ cause, counted: false, reason, value: 'b', variant: 'b' });
  });

  it('is the control while nothing runs', () => {
    const world = openWorld();
    world.create({ id: 'hero', control: 'b' });
    expect(hero(world)).toEqual({ cause: 'not_running', counted: false, reason: 'DISABLED', value: 'b', variant: 'b' });
    world.step('start');
    world.step('stop');
    expect(hero(world)).toMatchObject({ cause: 'not_running', reason: 'DISABLED' });
  });

  it('says of the last creative that it has no other', () => {
    const world = running();
    world.step('swap', 'hero', { creativeId: 'a' });
    expect(hero(world)).toEqual({ cause: 'assigned', counted: true, reason: 'TARGETING_MATCH', value: 'b', variant: 'b' });
    // Whoever was shown it before is given it for that.
    world.held.set('0 a1', { creativeId: 'b', exposedAt: NOW });
    expect(hero(world)).toMatchObject({ cause: 'shown_before', reason: 'SPLIT' });
  });

  it('of three creatives with one out is still a choice', () => {
    const world = running({ arms: ['a', 'b', 'c'].map((creativeId) => ({ creativeId })) });
    world.step('swap', 'hero', { creativeId: 'a' });
    expect(hero(world).reason).toBe('SPLIT');
  });

  it('does not know other flags', () => {
    expect(running().decider.evaluate('other', 'a1')).toBeNull();
  });
});

describe('what is said of an account', () => {
  it('is its score of now, faded since, and the band of it', () => {
    const world = running({ targeting: { bands: ['warm'] } });
    const metadata = () => world.decider.evaluate('hero', 'a1')!.metadata;
    expect(metadata()).toEqual({
      experiment: 'hero',
      revision: 2,
      cause: 'assigned',
      counted: true,
      score: expect.closeTo(50, 9) as number,
      band: 'warm',
      modelVersion: 'm-1',
    });
    // A day later 7 points are left: 100 x (1 - 2^(-1/2)).
    world.now = NOW + 24 * HOUR_MS;
    expect(metadata()).toMatchObject({ score: expect.closeTo(29.28932188, 7) as number, band: 'cold', cause: 'not_targeted' });
  });

  it.each([
    [49.9, 'half'],
    [50.1, 'low'],
  ])('is, where a band begins at %d, the band that 50 lies in', (from, band) => {
    const scoreBands = [{ id: 'low', from: 0 }, { id: 'half', from }]; // prettier-ignore
    const world = running({}, [meeting(1)], scoringModelSchema.parse({ ...given, scoreBands }));
    expect(world.decider.evaluate('hero', 'a1')!.metadata['band']).toBe(band);
  });

  it('is not of before its last touch, by whatever clock', () => {
    const world = running();
    world.now = NOW - HOUR_MS;
    const row = world.ledgers.accounts.names.find(0, Buffer.from('a1'), 0, 2);
    expect(world.decider.evaluate('hero', 'a1')!.metadata['score']).toBe(scoreOf(pointsOf(world.ledgers, row, world.ledgers.now), 14));
  });

  it('is its stage and qualification where the model has them, and its segment', () => {
    const model = scoringModelSchema.parse({
      ...given,
      stages: [{ id: 'new' }, { id: 'met', metrics: [{ metric: 'kind.meeting.30d', atLeast: 1 }] }],
      qualification: { atLeast: 1, of: [{ metric: 'kind.meeting.30d', atLeast: 1 }], minContacts: 1, actNow: [{ kind: 'meeting' }] },
    });
    const targeting = { stages: ['met'], qualified: true, segment: { tier: 'a' } };
    const world = running({ targeting }, [meeting(1)], model);
    expect(world.decider.evaluate('hero', 'a1')!.metadata).toMatchObject({ stage: 'met', qualified: true, cause: 'not_targeted' });
    const row = world.ledgers.accounts.names.find(0, Buffer.from('a1'), 0, 2);
    const fact = { type: 'account', id: 'a1', updatedAt: NOW, tier: 'a' };
    world.ledgers.accounts.facts.set(row, fact as typeof fact & Exclude<ReturnType<typeof world.ledgers.accounts.facts.get>, undefined>);
    expect(hero(world).cause).toBe('assigned');
  });

  it('is nothing where nobody knows it', () => {
    expect(running().decider.evaluate('hero', 'a2')!.metadata).toEqual({
      experiment: 'hero',
      revision: 2,
      cause: 'unknown_account',
      counted: false,
    });
  });
});

describe('answers for all flags', () => {
  it('are of each flag once that is not stopped altogether', () => {
    const world = running();
    world.create({ id: 'second', flagKey: 'hero' });
    world.create({ id: 'draft' });
    world.create({ id: 'over' });
    world.step('stop', 'over');
    expect(world.decider.evaluateAll('a1').map(({ key, metadata }) => [key, metadata['experiment']])).toEqual([
      ['hero', 'hero'],
      ['draft', 'draft'],
    ]);
  });
});

describe('the etag of answers', () => {
  const answer: Evaluation = {
    key: 'hero',
    value: 'a',
    variant: 'a',
    reason: 'SPLIT',
    metadata: {
      experiment: 'hero',
      revision: 2,
      cause: 'assigned',
      score: 50,
      band: 'warm',
      modelVersion: 'm-1',
      stage: 'met',
      qualified: true,
    },
  };
  const other = (metadata: Evaluation['metadata']): Evaluation => ({ ...answer, metadata: { ...answer.metadata, ...metadata } });

  it.each([
    ['key', { ...answer, key: 'villain' }],
    ['variant', { ...answer, variant: 'b' }],
    ['reason', { ...answer, reason: 'STATIC' as const }],
    ['experiment', other({ experiment: 'next' })],
    ['cause', other({ cause: 'shown_before' })],
    ['band', other({ band: 'hot' })],
    ['stage', other({ stage: 'new' })],
    ['qualified', other({ qualified: false })],
    ['modelVersion', other({ modelVersion: 'm-2' })],
  ])('is another one with another %s', (_, changed) => {
    expect(etagOf([changed])).not.toBe(etagOf([answer]));
  });

  it('is the same with another score, which is another one at every instant, and is a quoted text', () => {
    expect(etagOf([other({ score: 50.1 })])).toBe(etagOf([answer]));
    expect(etagOf([answer])).toMatch(/^"[\w-]{22}"$/);
    expect(etagOf([answer, answer])).not.toBe(etagOf([answer]));
  });
});
