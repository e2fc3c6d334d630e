import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alertOf, anyAlert, NOON } from './test-alerts.ts';
import { alertBody, BODY_BYTES_MAX, digestBody } from './webhook-body.ts';

const options = { publicUrl: 'https://touchstone.example' };

describe('the body of an alert', () => {
  it('has the documented form', () => {
    expect(JSON.parse(alertBody(alertOf(), options))).toEqual({
      type: 'account.threshold.crossed',
      timestamp: '2026-11-22T11:50:00.000Z',
      data: {
        accountId: 'acme.example',
        scoreId: 'engagement',
        modelVersion: '2026-11-20.3',
        revision: 1842,
        direction: 'up',
        cause: 'touch',
        previousValue: 64.25,
        currentValue: 72.5,
        crossedThresholds: [{ code: 'hot', value: 70 }],
        late: false,
        reach: { engagedContacts: 4, coverage: 2 / 3, missingRoles: ['economic_buyer'] },
        reasons: [
          { points: 60.5, contactId: 'u1', role: 'champion' },
          { points: 6, contactId: null, role: null },
        ],
        touch: {
          kind: 'meeting',
          contactId: 'u1',
          campaignId: 'spring',
          occurredAt: '2026-11-22T11:49:59.000Z',
          ruleIds: ['meeting'],
        },
        explainUrl: 'https://touchstone.example/v1/accounts/acme.example/explain?at=2026-11-22T11:50:00.000Z&version=1842',
        ruleId: 'hot',
        episode: 3,
        metric: 'score',
        owner: 'bo@us.example',
        previousStage: null,
        currentStage: null,
        heldBack: 0,
        met: [],
        missing: [],
      },
    });
  });

  it('names no threshold where there is none, and says that it is a test', () => {
    const { data } = JSON.parse(alertBody(alertOf({ threshold: null, touch: null }), { ...options, isTest: true })) as {
      data: Record<string, unknown>;
    };
    expect(data).toMatchObject({ crossedThresholds: [], test: true, touch: null });
  });

  it('is below 20 kB and whole JSON, whatever the alert holds, and keeps what tells it apart', () => {
    fc.assert(
      fc.property(anyAlert, (alert) => {
        const body = alertBody(alert, options);
        expect(Buffer.byteLength(body)).toBeLessThanOrEqual(BODY_BYTES_MAX);
        const { data, type } = JSON.parse(body) as { type: string; data: { accountId: string; revision: number; explainUrl: string } };
        expect([type, data.accountId, data.revision]).toEqual([alert.type, alert.accountId, alert.version]);
        expect(URL.canParse(data.explainUrl)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it('is below 20 kB for the largest alert there can be', () => {
    const longest = '\u0001'.repeat(128);
    const many = Array.from({ length: 100 }, () => longest);
    const contact = { contactId: longest, role: longest, points: -Number.MAX_VALUE };
    const touch = { kind: longest, contactId: longest, campaignId: longest, occurredAt: NOON, ruleIds: many };
    const texts = { accountId: longest, modelVersion: longest, ruleId: longest, metric: longest, owner: longest };
    const alert = alertOf({
      ...texts,
      previousStage: longest,
      currentStage: longest,
      missingRoles: many,
      met: many,
      missing: many,
      reasons: [contact, contact, contact],
      touch,
    });
    const body = alertBody(alert, { publicUrl: `https://touchstone.example/${'a'.repeat(970)}` });
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(BODY_BYTES_MAX);
    expect(JSON.parse(body)).toMatchObject({ data: { accountId: longest } });
  });

  it('keeps its lists where there is room for them', () => {
    const roles = Array.from({ length: 60 }, (_, i) => `role-${i}`);
    const { data } = JSON.parse(alertBody(alertOf({ missingRoles: roles }), options)) as { data: { reach: { missingRoles: string[] } } };
    expect(data.reach.missingRoles).toEqual(roles);
  });
});

it('the body of a digest is below 20 kB, and tells how many there were', () => {
  fc.assert(
    fc.property(fc.array(anyAlert, { maxLength: 50 }), (alerts) => {
      const body = digestBody({ owner: 'bo', from: NOON, to: NOON + 3_600_000, total: 999, alerts }, options);
      expect(Buffer.byteLength(body)).toBeLessThanOrEqual(BODY_BYTES_MAX);
      const { data, type } = JSON.parse(body) as { type: string; data: { total: number; alerts: { id: string }[] } };
      expect([type, data.total]).toEqual(['owner.digest.ready', 999]);
      expect(data.alerts.map(({ id }) => id)).toEqual(alerts.slice(0, data.alerts.length).map(({ id }) => id));
    }),
    { numRuns: 30 },
  );
});
