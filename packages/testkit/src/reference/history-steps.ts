import type { AccountFact, ScoringModel } from '@touchstone/engine';
import fc from 'fast-check';
import { modelArbitrary } from './generate-model.ts';
import { KINDS, oneOf, oneOfOrNull, ROLES } from './pick.ts';

/**
 * What may happen in a generated history, one step at a time. Steps name times relative to their append, to the step before or to the moment of
 * the question, so that fast-check can drop steps and what is left is still a history of the same sort.
 */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
const HORIZON_MS = 48 * HOUR_MS;

export type Moment =
  | { readonly near: 'append'; readonly aheadMs: number }
  | { readonly near: 'append_edge'; readonly unitMs: number; readonly back: number; readonly deltaMs: number }
  | { readonly near: 'window_edge'; readonly unitMs: number; readonly back: number; readonly deltaMs: number };

export interface TouchDraft {
  readonly accountId: string | null;
  readonly contactId: string | null;
  readonly kind: string;
  readonly when: Moment;
  readonly minutes: number;
  readonly channel: string | null;
  readonly campaignId: string | null;
  readonly creativeId: string | null;
  readonly url: string | null;
  readonly source: string | null;
  readonly properties: Readonly<Record<string, string>>;
}

export type Action =
  | { readonly do: 'touch'; readonly touch: TouchDraft }
  /** The id of the touch `back` touches ago once more; with `as`, under other fields. */
  | { readonly do: 'repeat'; readonly back: number; readonly as: TouchDraft | null }
  /** Another touch like the one `back` touches ago, a little earlier or later: so that caps are reached and first touches tie. */
  | {
      readonly do: 'another';
      readonly back: number;
      readonly shiftMs: number;
      readonly minutes: number;
      readonly campaignId: string | null;
    }
  | { readonly do: 'date_ahead'; readonly touch: TouchDraft; readonly aheadMs: number }
  /** `updatedAt` is a full hour, day or week a few ago, so that it often ties with another fact's or comes before it. */
  | {
      readonly do: 'contact';
      readonly accountId: string;
      readonly contactId: string;
      readonly role: string | null;
      readonly updated: { readonly unitMs: number; readonly back: number };
    }
  | { readonly do: 'fact'; readonly type: 'account' | 'lead' | 'opportunity' | 'subscription' | 'spend'; readonly accountId: string }
  /** What the CRM says of an account that filters ask for. */
  | { readonly do: 'describe'; readonly accountId: string; readonly updatedBackMs: number; readonly said: Partial<AccountFact> }
  | {
      readonly do: 'deal';
      readonly accountId: string;
      readonly id: string;
      readonly outcome: 'won' | 'lost' | null;
      readonly updatedBackMs: number;
    }
  | { readonly do: 'tick'; readonly fleetGrowth: number | null }
  | { readonly do: 'publish'; readonly model: ScoringModel };

export interface Step {
  readonly gapMs: number;
  /** Offsets the log skips, as Kafka does for its own markers. */
  readonly offsetsSkipped: number;
  readonly action: Action;
}

// Few names, so that steps meet; the odd ones break code that keeps them as properties of an object.
const ACCOUNTS = ['acme.example', 'acme.example', 'globex.example', '__proto__', 'Ünïcode 株式会社 🚀'] as const;
const CONTACTS = ['ada', 'ada', 'bo', 'cy', 'constructor'] as const;
const CAMPAIGNS = ['spring', 'spring-24', 'autumn', '__proto__'] as const;
const URLS = ['/pricing', 'https://acme.example/pricing?plan=*', '/docs/start.html', '/'] as const;
const MINUTES = [0, 0, 0.1, 5, 7.3, 10, 10.5, 1440] as const;

const delta = oneOf([0, -1, 1]);

/** First units of the windows and of those before them, counted back from the current one; -1 is the end of the window. */
const WINDOW_EDGES = [
  ...[-1, 0, 23, 47].map((back) => ({ unitMs: HOUR_MS, back })),
  ...[-1, 0, 6, 13, 29, 59, 89, 179].map((back) => ({ unitMs: DAY_MS, back })),
];

const moment: fc.Arbitrary<Moment> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -10 * MINUTE_MS, max: 0 }).map((aheadMs) => ({ near: 'append' as const, aheadMs })) },
  { weight: 1, arbitrary: oneOf([1, MINUTE_MS, 5 * MINUTE_MS]).map((aheadMs) => ({ near: 'append' as const, aheadMs })) },
  { weight: 1, arbitrary: fc.integer({ min: -400 * DAY_MS, max: 0 }).map((aheadMs) => ({ near: 'append' as const, aheadMs })) },
  {
    weight: 2,
    arbitrary: fc.record({
      near: fc.constant('append_edge' as const),
      unitMs: oneOf([HOUR_MS, DAY_MS]),
      back: fc.integer({ min: 0, max: 3 }),
      deltaMs: delta,
    }),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({ edge: oneOf(WINDOW_EDGES), deltaMs: delta })
      .map(({ edge, deltaMs }) => ({ near: 'window_edge' as const, ...edge, deltaMs })),
  },
);

const touchDraft: fc.Arbitrary<TouchDraft> = fc
  .record({
    accountId: fc.oneof({ weight: 30, arbitrary: oneOf(ACCOUNTS) }, { weight: 1, arbitrary: fc.constant(null) }),
    contactId: fc.oneof({ weight: 5, arbitrary: oneOf(CONTACTS) }, { weight: 1, arbitrary: fc.constant(null) }),
    kind: oneOf(KINDS),
    when: moment,
    minutes: oneOf(MINUTES),
    channel: oneOfOrNull(['paid_social', 'email']),
    campaignId: oneOfOrNull(CAMPAIGNS),
    creativeId: oneOfOrNull(['blue', 'green']),
    url: oneOfOrNull(URLS),
    source: oneOfOrNull(['web', 'Web']),
    properties: oneOf<Readonly<Record<string, string>>>([{}, { plan: 'pro' }, { plan: 'professional', toString: 'x' }]),
  })
  // A touch that names neither account nor contact is refused before it reaches a log.
  .map((draft) => (draft.accountId === null && draft.contactId === null ? { ...draft, contactId: 'ada' } : draft));

const gapMs = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 16, arbitrary: fc.integer({ min: 1, max: 10 * MINUTE_MS }) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 20 * HOUR_MS }) },
  { weight: 1, arbitrary: oneOf([HORIZON_MS - 1, HORIZON_MS, HORIZON_MS + 1]) },
);

const contactStep = fc.record({
  do: fc.constant('contact' as const),
  // Fewer than elsewhere: what matters is what several facts about one contact make together.
  accountId: oneOf(['acme.example', 'acme.example', '__proto__']),
  contactId: oneOf(['ada', 'ada', 'bo', 'never seen']),
  role: oneOfOrNull(ROLES),
  updated: fc.record({ unitMs: oneOf([HOUR_MS, DAY_MS, WEEK_MS]), back: fc.integer({ min: 0, max: 2 }) }),
});

const factStep = fc.record({
  do: fc.constant('fact' as const),
  type: oneOf(['account', 'lead', 'opportunity', 'subscription', 'spend'] as const),
  accountId: oneOf([...ACCOUNTS, 'facts-only.example']),
});

interface StepOptions {
  readonly alerts: boolean;
  readonly datedAhead: boolean;
  readonly models: boolean;
}

const describeStep = fc.record({
  do: fc.constant('describe' as const),
  accountId: oneOf(ACCOUNTS),
  updatedBackMs: oneOf([0, 0, HOUR_MS]),
  said: fc.record({
    tier: oneOfOrNull(['a', 'b']),
    industry: oneOfOrNull(['retail', 'steel']),
    owner: oneOfOrNull(['kim', 'lee']),
    targetList: oneOfOrNull([true, false]),
    employees: oneOfOrNull([10, 1000]),
    attributes: oneOf<Readonly<Record<string, string>>>([{}, { plan: 'pro' }]),
  }),
});

const dealStep = fc.record({
  do: fc.constant('deal' as const),
  accountId: oneOf(ACCOUNTS),
  id: oneOf(['deal-1', 'deal-2']),
  outcome: oneOf(['won', 'lost', null] as const),
  updatedBackMs: oneOf([0, 0, HOUR_MS]),
});

const tickStep = fc.record({ do: fc.constant('tick' as const), fleetGrowth: oneOf([null, null, 0, 0.5, 2, 4]) });

/** @param datedAhead also touches dated around one hour ahead of their append, which no API lets in but a log may hold */
export function stepArbitrary({ alerts, datedAhead, models }: StepOptions): fc.Arbitrary<Step> {
  const touch = touchDraft.map((draft) => ({ do: 'touch' as const, touch: draft }));
  const repeat = fc.record({
    do: fc.constant('repeat' as const),
    back: fc.integer({ min: 0, max: 12 }),
    as: fc.option(touchDraft, { freq: 3 }),
  });
  const another = fc.record({
    do: fc.constant('another' as const),
    back: fc.integer({ min: 0, max: 2 }),
    shiftMs: oneOf([0, -1, 1, -HOUR_MS, MINUTE_MS]),
    minutes: oneOf(MINUTES),
    campaignId: oneOfOrNull(CAMPAIGNS),
  });
  const dateAhead = fc.record({
    do: fc.constant('date_ahead' as const),
    touch: touchDraft,
    aheadMs: oneOf([HOUR_MS, HOUR_MS + 1, 400 * DAY_MS]),
  });
  const publish = modelArbitrary.map((each) => ({ do: 'publish' as const, model: each }));
  const action = fc.oneof<fc.WeightedArbitrary<Action>[]>(
    { weight: 40, arbitrary: touch },
    { weight: 40, arbitrary: another },
    { weight: 12, arbitrary: repeat },
    { weight: 12, arbitrary: contactStep },
    { weight: 3, arbitrary: factStep },
    { weight: datedAhead ? 3 : 0, arbitrary: dateAhead },
    { weight: models ? 2 : 0, arbitrary: publish },
    { weight: alerts ? 8 : 0, arbitrary: describeStep },
    { weight: alerts ? 5 : 0, arbitrary: dealStep },
    { weight: alerts ? 8 : 0, arbitrary: tickStep },
  );
  // Long enough for everything to decay, or for windows to turn.
  const longGapMs = oneOf([DAY_MS, 3 * DAY_MS + 1, WEEK_MS, 30 * DAY_MS, 95 * DAY_MS]);
  const gap = alerts ? fc.oneof({ weight: 5, arbitrary: gapMs }, { weight: 1, arbitrary: longGapMs }) : gapMs;
  const offsetsSkipped = fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) });
  const step = fc.record({ gapMs: gap, offsetsSkipped, action });
  // The last touch again, right at the horizon: with gaps and repeats drawn apart that would be rare.
  const atHorizon = fc.record({
    gapMs: oneOf([HORIZON_MS - 1, HORIZON_MS, HORIZON_MS + 1]),
    offsetsSkipped,
    action: fc.constant({ do: 'repeat' as const, back: 0, as: null }),
  });
  return fc.oneof({ weight: 60, arbitrary: step }, { weight: 1, arbitrary: atHorizon });
}
