import fc from 'fast-check';
import { oneOf, ROLES } from '../pick.ts';
import type { AlertModelDocument, CriterionDocument, FilterDocument, LevelDocument } from './rule-document.ts';

/** Alert rules that `scoringModelSchema` accepts, for histories with `alerts`. No level of points is one that sums of worths hit exactly. */

const WINDOWS = ['24h', '7d', '30d', '90d'] as const;
const COUNTS = ['touches', 'contacts', 'newContacts', 'kind.meeting', 'kind.web_visit', 'kind.unheard_of', 'minutes'] as const;

interface Measured {
  readonly metric: string;
  readonly level: number;
  readonly lower: number;
}

const measured: fc.Arbitrary<Measured> = fc.oneof(
  fc.record({ metric: oneOf(['score']), level: oneOf([0.7331, 3.117, 11.317, 40.77]), lower: oneOf([0, 0.113, 2.7177]) }),
  fc.record({ metric: oneOf(['points']), level: oneOf([-0.00731, 0.7331, 3.117, 11.317, 40.77]), lower: oneOf([0, 0.113, 2.7177]) }),
  fc.record({ metric: oneOf(['reach']), level: oneOf([1, 2, 3]), lower: oneOf([0, 1]) }),
  fc.record({ metric: oneOf(['coverage']), level: oneOf([0.25, 0.5, 1]), lower: oneOf([0, 0.25]) }),
  fc
    .record({ figure: oneOf(COUNTS), window: oneOf(WINDOWS), level: oneOf([1, 2, 3, 5]), lower: oneOf([0, 1, 3]) })
    // Sums of minutes depend on the order they are added in.
    .map(({ figure, level, lower, window }) => ({
      metric: `${figure}.${window}`,
      level: figure === 'minutes' ? level + 0.4137 : level,
      lower,
    })),
);

const some = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined, freq: 3 });
const few = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

/** Without the fields that are undefined: nobody wrote them. */
function written<T extends object>(fields: T): { [Name in keyof T]: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]: Exclude<T[Name], undefined>;
  };
}

const filter: fc.Arbitrary<FilterDocument> = fc
  .record({
    accountId: few(oneOf<string | string[]>(['acme.example', ['acme.example', '__proto__']])),
    tier: few(oneOf<string | string[]>(['a', ['a', 'b']])),
    industry: few(oneOf(['retail'])),
    owner: few(oneOf(['kim'])),
    targetList: few(fc.boolean()),
    employees: few(oneOf([{ min: 100 }, { max: 100 }, { min: 5, max: 50 }])),
    attributes: few(oneOf<Readonly<Record<string, string>>>([{ plan: 'pro' }, { toString: 'x' }])),
  })
  .map(written);

const maybeFilter = few(filter);

const levelOf = ({ level, lower }: Measured): LevelDocument => ({ enter: level, exit: level - lower });

const thresholds = fc
  .array(
    fc.record({
      measured,
      hasExit: fc.boolean(),
      cooldown: some(oneOf<number | string>(['30m', '36h', '20d', '90d', 90])),
      filter: maybeFilter,
      tier: few(oneOf(['a', 'b'])),
    }),
    { minLength: 1, maxLength: 5, size: 'max' },
  )
  .map((drafts) =>
    drafts.map(({ cooldown, filter: only, hasExit, measured: each, tier }, index) =>
      written({
        id: `rule-${index}`,
        metric: each.metric,
        ...(hasExit ? levelOf(each) : { enter: each.level }),
        cooldown,
        filter: only,
        byTier: tier === undefined ? undefined : { [tier]: { enter: each.level * 2 } },
      }),
    ),
  );

const criteria = (max: number): fc.Arbitrary<CriterionDocument[]> =>
  fc
    .array(fc.record({ measured, tier: few(oneOf(['a', 'b'])), isNamed: fc.boolean() }), { minLength: 1, maxLength: max, size: 'max' })
    .map((drafts) =>
      drafts.map(({ isNamed, measured: { level, metric }, tier }, index) =>
        written({
          id: isNamed ? `criterion-${index}` : undefined,
          metric,
          atLeast: level,
          byTier: tier === undefined ? undefined : { [tier]: level * 2 },
        }),
      ),
    );

const actNow = fc.uniqueArray(
  oneOf([
    { kind: 'meeting', minMinutes: 7 },
    { kind: 'form_fill', where: { url: '*pricing*' } },
    { kind: 'podcast', where: { properties: { plan: 'pro*' } }, minMinutes: 0.1 },
    { kind: 'meeting', where: { channel: 'email', campaignId: 'spring*' } },
  ]),
  { maxLength: 3 },
);

const qualification = fc
  .record({
    of: criteria(4),
    k: fc.nat(3),
    minContacts: some(oneOf([1, 2, 3])),
    actNow,
    actNowDays: some(oneOf([1, 7])),
    filter: maybeFilter,
    exclude: maybeFilter,
  })
  .map(({ k, ...rest }) => written({ ...rest, atLeast: 1 + (k % rest.of.length) }));

const stages = fc
  .array(
    fc
      .record({
        engaged: few(fc.constant(true as const)),
        qualified: few(fc.constant(true as const)),
        opportunity: few(oneOf(['any', 'open', 'won', 'lost'] as const)),
        metrics: some(criteria(2)),
      })
      .map(written),
    { maxLength: 5, size: 'max' },
  )
  .map((drafts) => drafts.map((draft, index) => ({ id: `stage-${index}`, ...draft })));

const surge = fc
  .record({
    metric: some(oneOf(['touches', 'minutes'] as const)),
    ratio: some(oneOf([1, 1.37, 3])),
    minimum: some(oneOf([0, 1, 3])),
    fleetRatio: some(oneOf([0, 0.731, 1.5])),
    cooldown: some(oneOf<string | number>([0, '40d'])),
    filter: maybeFilter,
  })
  .map(written);

const watches = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('role_silent' as const), role: oneOf(ROLES), days: some(oneOf([1, 3, 40])), filter: maybeFilter }),
    fc.record({ kind: fc.constant('role_engaged' as const), role: oneOf([...ROLES, 'never heard of']), filter: maybeFilter }),
    fc.record({ kind: fc.constant('single_threaded' as const), minTouches: some(oneOf([1, 2])), filter: maybeFilter }),
  ),
  { maxLength: 3, size: 'max' },
);

/** The fields of a model that alerts come from. */
export const alertRulesArbitrary: fc.Arbitrary<Omit<AlertModelDocument, 'version' | 'rules'>> = fc
  .record({
    thresholds,
    qualification: fc.option(qualification, { nil: undefined }),
    stages,
    surge: fc.option(surge, { nil: undefined }),
    watches,
  })
  // Numbered throughout: of two models one often has as a threshold what the other has as a watch.
  .map((rules) => ({
    ...rules,
    watches: rules.watches.map((draft, index) => ({ id: `rule-${rules.thresholds.length + index}`, ...written(draft) })),
  })) as fc.Arbitrary<Omit<AlertModelDocument, 'version' | 'rules'>>;
