import type { ScoringModel } from '@touchstone/engine';
import fc from 'fast-check';
import { KINDS, oneOf, ROLES } from './pick.ts';

const where = fc.record(
  {
    channel: oneOf(['paid*', 'email']),
    campaignId: oneOf(['spring*', 'spring', '*24']),
    creativeId: oneOf(['blue', '*']),
    url: oneOf(['*pricing*', '/docs/*.html', '/*', '*']),
    source: oneOf(['web', 'w*b']),
    properties: oneOf<Record<string, string>>([{ plan: 'pro' }, { plan: 'pro*' }, { toString: '*' }]),
  },
  { requiredKeys: [], noNullPrototype: true },
);

const rule = fc.record(
  {
    kind: oneOf(KINDS),
    // No two sums of these cancel out: what is left of a sum that does would be rounding, and there is nothing to compare in that.
    points: oneOf([0, 0.1, 1, 2, 15, -0.0137]),
    pointsPerMinute: oneOf([0, 0, 0.2, 1]),
    maxMinutes: oneOf([0, 10, 1440]),
    where: fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, { weight: 3, arbitrary: where }),
    dailyCap: fc.integer({ min: 1, max: 3 }),
  },
  { requiredKeys: ['kind', 'points', 'pointsPerMinute', 'maxMinutes'], noNullPrototype: true },
);

/** A model that `scoringModelSchema` accepts; whoever publishes it gives it a version of its own. */
export const modelArbitrary: fc.Arbitrary<ScoringModel> = fc.record(
  {
    version: fc.constant('generated'),
    decay: oneOf([1, 7, 14, 90]).map((halfLifeDays) => ({ kind: 'exponential' as const, halfLifeDays })),
    halfScorePoints: oneOf([1, 100, 1e6]),
    rules: fc.array(rule, { maxLength: 12 }).map((rules) => rules.map((each, index) => ({ ...each, id: `rule-${index}` }))),
    roles: fc
      .uniqueArray(oneOf(ROLES), { maxLength: 4 })
      .chain((roles) =>
        fc
          .array(oneOf([0, 0.5, 1.1, 1.5]), { minLength: roles.length, maxLength: roles.length })
          .map((multipliers) => Object.fromEntries(roles.map((role, index) => [role, multipliers[index]!]))),
      ),
    wantedRoles: fc.uniqueArray(oneOf(ROLES), { maxLength: 4 }),
    reachWindowDays: oneOf([1, 7, 30, 90]),
    retentionDays: fc.constant(400),
    thresholds: fc.constant([]),
    stages: fc.constant([]),
    watches: fc.constant([]),
  },
  {
    requiredKeys: [
      'version',
      'decay',
      'halfScorePoints',
      'rules',
      'roles',
      'reachWindowDays',
      'retentionDays',
      'thresholds',
      'stages',
      'watches',
    ],
    noNullPrototype: true,
  },
);
