import { ALERT_CAUSES, ALERT_TYPES, type Alert } from '@touchstone/engine';
import fc from 'fast-check';

/** Alerts for tests: a plain one, and any that could ever be on the topic. */

export const NOON = Date.UTC(2026, 10, 22, 12);

export function alertOf(changes: Partial<Alert> = {}): Alert {
  return {
    id: 'alr_00112233445566778899aabbccddeeff',
    type: 'account.threshold.crossed',
    accountId: 'acme.example',
    partition: 2,
    version: 1842,
    modelVersion: '2026-11-20.3',
    ruleId: 'hot',
    episode: 3,
    direction: 'up',
    at: NOON - 600_000,
    metric: 'score',
    threshold: 70,
    previousValue: 64.25,
    currentValue: 72.5,
    previousStage: null,
    currentStage: null,
    cause: 'touch',
    late: false,
    heldBack: 0,
    owner: 'bo@us.example',
    engagedContacts: 4,
    coverage: 2 / 3,
    missingRoles: ['economic_buyer'],
    reasons: [
      { contactId: 'u1', role: 'champion', points: 60.5 },
      { contactId: null, role: null, points: 6 },
    ],
    touch: { kind: 'meeting', contactId: 'u1', campaignId: 'spring', occurredAt: NOON - 601_000, ruleIds: ['meeting'] },
    met: [],
    missing: [],
    ...changes,
  };
}

/** What breaks messages: markup, controls, bidi, half characters, characters of several units, and plain length. */
const hostileText = (maxLength: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ unit: 'binary', maxLength }),
    fc.string({
      unit: fc.constantFrom('<', '>', '&', '"', '\n', '\u0000', '\u202e', '\ud83d', '\u{1f680}', '*', '|', '`', 'é', ' '),
      maxLength,
    }),
    fc.constantFrom('<!channel>', '<!here|x>', '<@U123>', '', ' ', '\u2028', '&lt;').map((text) => text.slice(0, maxLength)),
    fc.integer({ min: 0, max: maxLength }).map((length) => '\u0001'.repeat(length)),
  );

const idText = hostileText(128);
const anyNumber = fc.double({ noNaN: true, noDefaultInfinity: true });
const anyTime = fc.integer({ min: 0, max: 253_402_300_799_999 });
const orNull = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> => fc.option(arbitrary);

export const anyAlert: fc.Arbitrary<Alert> = fc.record({
  id: fc.stringMatching(/^alr_[0-9a-f]{32}$/),
  type: fc.constantFrom(...ALERT_TYPES),
  accountId: idText,
  partition: fc.nat(100),
  version: fc.maxSafeNat(),
  modelVersion: hostileText(2000),
  ruleId: idText,
  episode: fc.nat(1000),
  direction: fc.constantFrom('up' as const, 'down' as const),
  at: anyTime,
  metric: orNull(idText),
  threshold: orNull(anyNumber),
  previousValue: orNull(anyNumber),
  currentValue: orNull(anyNumber),
  previousStage: orNull(idText),
  currentStage: orNull(idText),
  cause: fc.constantFrom(...ALERT_CAUSES),
  late: fc.boolean(),
  heldBack: fc.nat(),
  owner: orNull(hostileText(5000)),
  engagedContacts: fc.nat(),
  coverage: orNull(fc.double({ min: 0, max: 1, noNaN: true })),
  missingRoles: fc.array(idText, { maxLength: 60, size: 'max' }),
  reasons: fc.array(fc.record({ contactId: orNull(idText), role: orNull(idText), points: anyNumber }), { maxLength: 3, size: 'max' }),
  touch: orNull(
    fc.record({
      kind: idText,
      contactId: orNull(idText),
      campaignId: orNull(hostileText(2048)),
      occurredAt: anyTime,
      ruleIds: fc.array(idText, { maxLength: 50 }),
    }),
  ),
  met: fc.array(idText, { maxLength: 32, size: 'max' }),
  missing: fc.array(idText, { maxLength: 32, size: 'max' }),
});
