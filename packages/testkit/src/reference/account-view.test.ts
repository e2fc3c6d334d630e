import { describe, expect, it } from 'vitest';
import { referenceOf, type AccountView } from './account-view.ts';
import { LogBuilder } from './log-builder.ts';
import type { LogEntry, ModelDocument } from './log-entry.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Tuesday, in the middle of an hour. */
const AS_OF = Date.UTC(2026, 2, 10, 12, 30);
const HOUR = Date.UTC(2026, 2, 10, 12);
const DAY = Date.UTC(2026, 2, 10);

function acme(log: LogBuilder | readonly LogEntry[], asOf: number = AS_OF, dedupeHorizonMs?: number): AccountView | null {
  const entries = log instanceof LogBuilder ? log.entries : log;
  return referenceOf(entries, dedupeHorizonMs === undefined ? {} : { dedupeHorizonMs }).view('acme', asOf);
}

const touchesOf = (view: AccountView | null): number => view!.windows['90d'].touches;

describe('a whole account', () => {
  it('worked by hand', () => {
    const log = new LogBuilder(AS_OF)
      .touch({ contactId: 'ada', kind: 'ad_click', occurredAt: AS_OF - 14 * DAY_MS, campaignId: 'spring' })
      .touch({ contactId: 'ada', minutes: 4, occurredAt: HOUR - 23 * HOUR_MS })
      .role('ada', 'champion')
      .touch({ contactId: 'bo', kind: 'email_open', occurredAt: HOUR - 23 * HOUR_MS - 1, campaignId: 'autumn' })
      .touch({ kind: 'podcast', minutes: 30, occurredAt: AS_OF });
    // ada, a champion: (2 x 2^-1 + 5 x 2^-(23.5 h / 336 h)) x 1.3; bo: 0.5 x 2^-((23.5 h + 1 ms) / 336 h); the podcast has no rule.
    const points = (1 + 5 * 2 ** (-23.5 / 336)) * 1.3 + 0.5 * 2 ** (-(23.5 + 1 / HOUR_MS) / 336);
    const none = { touches: 0, minutes: 0, byKind: {}, contacts: 0, newContacts: 0 };
    const week = { touches: 3, minutes: 34, byKind: { web_visit: 1, email_open: 1, podcast: 1 }, contacts: 2, newContacts: 1 };
    const month = { touches: 4, minutes: 34, byKind: { ...week.byKind, ad_click: 1 }, contacts: 2, newContacts: 2 };
    const view = acme(log)!;
    expect(view.points).toBeCloseTo(points, 12);
    expect(view.score).toBeCloseTo(100 * (1 - 2 ** (-points / 100)), 12);
    expect({ ...view, points: 0, score: 0 }).toEqual({
      accountId: 'acme',
      points: 0,
      score: 0,
      version: 4,
      modelVersion: 'default-1',
      engaged: true,
      lastTouchAt: '2026-03-10T12:30:00.000Z',
      windows: {
        '24h': {
          touches: 2,
          minutes: 34,
          byKind: { web_visit: 1, podcast: 1 },
          contacts: 1,
          newContacts: 0,
          previous: { ...none, touches: 1, byKind: { email_open: 1 }, contacts: 1, newContacts: 1 },
        },
        // 14 days ago was 24 February, a day before the week before this one began (4 to 10 March, 25 February to 3 March).
        '7d': { ...week, previous: none },
        '30d': { ...month, previous: none },
        '90d': { ...month, previous: none },
      },
      reach: {
        contacts: 1,
        knownContacts: 2,
        roles: {
          wanted: ['decision_maker', 'champion', 'influencer'],
          covered: ['champion'],
          missing: ['decision_maker', 'influencer'],
        },
        byCampaign: { spring: 1, autumn: 1 },
      },
    });
  });
});

describe('edges of the windows', () => {
  const rows: [description: string, occurredAt: number, windows: string[]][] = [
    ['now', AS_OF, ['24h', '7d', '30d', '90d']],
    ['the last moment of the hour', HOUR + HOUR_MS - 1, ['24h', '7d', '30d', '90d']],
    ['the next hour: not in 24h yet, but it is today', HOUR + HOUR_MS, ['7d', '30d', '90d']],
    ['tomorrow: in none yet', DAY + DAY_MS, []],
    ['23 hours before this one', HOUR - 23 * HOUR_MS, ['24h', '7d', '30d', '90d']],
    ['just before that', HOUR - 23 * HOUR_MS - 1, ['24h before', '7d', '30d', '90d']],
    ['47 hours before this one', HOUR - 47 * HOUR_MS, ['24h before', '7d', '30d', '90d']],
    ['just before that', HOUR - 47 * HOUR_MS - 1, ['7d', '30d', '90d']],
    ['the first day of the 7', DAY - 6 * DAY_MS, ['7d', '30d', '90d']],
    ['just before that', DAY - 6 * DAY_MS - 1, ['7d before', '30d', '90d']],
    ['the first of the 7 before', DAY - 13 * DAY_MS, ['7d before', '30d', '90d']],
    ['just before that', DAY - 13 * DAY_MS - 1, ['30d', '90d']],
    ['the first day of the 30', DAY - 29 * DAY_MS, ['30d', '90d']],
    ['just before that', DAY - 29 * DAY_MS - 1, ['30d before', '90d']],
    ['just before the 30 before', DAY - 59 * DAY_MS - 1, ['90d']],
    ['just before the 90', DAY - 89 * DAY_MS - 1, ['90d before']],
    ['the first day of the 90 before', DAY - 179 * DAY_MS, ['90d before']],
    ['just before that', DAY - 179 * DAY_MS - 1, []],
  ];
  it.each(rows)('%s', (_description, occurredAt, windows) => {
    // Appended late enough not to be set aside.
    const view = acme(new LogBuilder(DAY + DAY_MS).touch({ occurredAt, contactId: 'ada', minutes: 2 }))!;
    const found = Object.entries(view.windows).flatMap(([name, { previous, ...current }]) => {
      const counts = { touches: 1, minutes: 2, byKind: { web_visit: 1 }, contacts: 1, newContacts: 1 };
      for (const figures of [current, previous]) if (figures.touches > 0) expect(figures).toEqual(counts);
      return [...(current.touches > 0 ? [name] : []), ...(previous.touches > 0 ? [`${name} before`] : [])];
    });
    expect(found).toEqual(windows);
    expect(view.points).toBeGreaterThan(0);
  });

  it('counts as new only a contact whose first touch lies in the window, also when that came late', () => {
    const log = new LogBuilder(AS_OF).touch({ contactId: 'ada' }).touch({ contactId: 'bo' });
    log.touch({ contactId: 'ada', occurredAt: AS_OF - 10 * DAY_MS });
    const { windows } = acme(log)!;
    expect([windows['24h'].contacts, windows['24h'].newContacts]).toEqual([2, 1]);
    expect([windows['7d'].newContacts, windows['7d'].previous.newContacts]).toEqual([1, 1]);
    expect(windows['30d'].newContacts).toBe(2);
  });
});

describe('what counts', () => {
  const again = (gapMs: number, horizonMs?: number): number => {
    const log = new LogBuilder(AS_OF - 5 * DAY_MS).touch({ id: 'same' });
    return touchesOf(acme(log.at(AS_OF - 5 * DAY_MS + gapMs).touch({ id: 'same' }), AS_OF, horizonMs));
  };

  it('an id once within 48 hours of append time', () => {
    expect([again(0), again(48 * HOUR_MS - 1), again(48 * HOUR_MS)]).toEqual([1, 1, 2]);
  });

  it('an id once within the horizon asked for', () => {
    expect([again(99, 100), again(100, 100)]).toEqual([1, 2]);
  });

  it('the horizon is measured from the counted one, not from a duplicate in between', () => {
    const start = AS_OF - 5 * DAY_MS;
    const log = new LogBuilder(start);
    for (const hours of [0, 40, 50, 90, 97, 98]) log.at(start + hours * HOUR_MS).touch({ id: 'same' });
    // Counted at 0; 40 is a duplicate; 50 is counted; 90 and 97 are within 48 of it; 98 is not.
    const view = acme(log)!;
    expect(touchesOf(view)).toBe(3);
    expect(view.version).toBe(5);
  });

  it('the first of two touches with one id, whatever the second says; it moves nothing and makes no account', () => {
    const log = new LogBuilder(AS_OF)
      .touch({ id: 'same' })
      .touch({ id: 'same', kind: 'meeting' })
      .touch({ id: 'same', accountId: 'globex' });
    const reference = referenceOf(log.entries);
    expect(reference.accountIds).toEqual(['acme']);
    expect(reference.view('globex', AS_OF)).toBeNull();
    expect(reference.view('acme', AS_OF)).toMatchObject({ version: 0, points: 1 });
  });

  it('an id once in each partition', () => {
    const record = { id: 'same', kind: 'web_visit', occurredAt: AS_OF };
    const reference = referenceOf([
      { partition: 0, offset: 0, appendedAt: AS_OF, record: { ...record, accountId: 'acme' } },
      { partition: 1, offset: 0, appendedAt: AS_OF, record: { ...record, accountId: 'globex' } },
    ]);
    expect(reference.accountIds).toEqual(['acme', 'globex']);
  });

  it('no touch dated more than an hour ahead of its append, which leaves its id free', () => {
    const log = new LogBuilder(AS_OF).touch({ occurredAt: AS_OF + HOUR_MS }).touch({ id: 'far', occurredAt: AS_OF + HOUR_MS + 1 });
    expect(acme(log)).toMatchObject({ version: 0, lastTouchAt: '2026-03-10T13:30:00.000Z' });
    expect(acme(log.touch({ id: 'far' }))!.version).toBe(2);
  });

  it('no touch without an account, though its id is remembered', () => {
    const log = new LogBuilder(AS_OF).touch({ accountId: null, contactId: 'ada', id: 'same' }).touch({ id: 'same' });
    expect(referenceOf(log.entries).accountIds).toEqual([]);
  });
});

describe('version and existence', () => {
  it('a fact names an account and moves its version, also when it loses', () => {
    const log = new LogBuilder(AS_OF).role('ada', 'champion', 5).role('ada', 'user', 4);
    const view = acme(log)!;
    expect(view).toMatchObject({ version: 1, points: 0, score: 0, engaged: false, lastTouchAt: null });
    expect(view.reach).toMatchObject({ contacts: 0, knownContacts: 1 });
  });

  it('account, lead, opportunity and subscription facts name an account; spend and a lead of none do not', () => {
    const log = new LogBuilder(AS_OF);
    log.fact({ type: 'account', id: 'a', updatedAt: 1 }).fact({ type: 'lead', id: 'x', accountId: 'b', updatedAt: 1 });
    log
      .fact({ type: 'opportunity', id: 'x', accountId: 'c', updatedAt: 1 })
      .fact({ type: 'subscription', id: 'x', accountId: 'd', updatedAt: 1 });
    log.fact({ type: 'spend', id: 'e', accountId: 'e', updatedAt: 1 }).fact({ type: 'lead', id: 'f', updatedAt: 1 });
    expect(referenceOf(log.entries).accountIds).toEqual(['a', 'b', 'c', 'd']);
  });

  it('the last touch is the last to have happened, not the last on the log', () => {
    const log = new LogBuilder(AS_OF).touch({ occurredAt: AS_OF - 1 }).touch({ occurredAt: AS_OF - 2 });
    expect(acme(log)!.lastTouchAt).toBe('2026-03-10T12:29:59.999Z');
  });

  it('refuses input that is no log', () => {
    const record = { id: '1', accountId: 'acme', kind: 'web_visit', occurredAt: 0 };
    const entry = (partition: number, offset: number): LogEntry => ({ partition, offset, appendedAt: 0, record });
    expect(() => referenceOf([entry(0, 1), entry(0, 1)])).toThrow('offset 1 comes after offset 1');
    expect(() => referenceOf([entry(0, 0), entry(1, 0)])).toThrow('account acme is in partitions 0 and 1');
  });
});

describe('models', () => {
  const flat = (version: string, points: number): ModelDocument => ({ version, rules: [{ id: 'r', kind: 'web_visit', points }] });

  it('the latest one scores the whole history, and does not move the version', () => {
    const log = new LogBuilder(AS_OF).publish(flat('two', 2)).touch().publish(flat('seven', 7));
    expect(acme(log)).toMatchObject({ points: 7, modelVersion: 'seven', version: 1 });
  });

  it("is the one of the account's partition, or of all when it names none", () => {
    const log = new LogBuilder(AS_OF).touch().publish(flat('two', 2));
    const elsewhere = { partition: 1, offset: 9, appendedAt: AS_OF, record: { type: 'model', model: flat('nine', 9) } } as const;
    expect(acme([...log.entries, elsewhere])!.modelVersion).toBe('two');
  });

  it('has its own half-life, half score, reach window and wanted roles', () => {
    const model: ModelDocument = {
      ...flat('own', 10),
      decay: { kind: 'exponential', halfLifeDays: 1 },
      halfScorePoints: 5,
      reachWindowDays: 1,
      wantedRoles: ['user', 'champion'],
    };
    const log = new LogBuilder(AS_OF).publish(model).role('ada', 'user').role('bo', 'champion');
    log.touch({ contactId: 'ada', occurredAt: DAY }).touch({ contactId: 'bo', occurredAt: DAY - 1, kind: 'podcast' });
    // 10 x 2^-(12.5 / 24), then 100 x (1 - 2^-(points / 5)); bo was here yesterday, which a window of one day leaves out.
    const view = acme(log)!;
    expect(view.points).toBeCloseTo(10 * 2 ** (-12.5 / 24), 12);
    expect(view.score).toBeCloseTo(100 * (1 - 2 ** (-2 * 2 ** (-12.5 / 24))), 11);
    expect(view.reach).toMatchObject({ contacts: 1, roles: { wanted: ['user', 'champion'], covered: ['user'], missing: ['champion'] } });
  });
});

describe('reach', () => {
  const rows: [description: string, kind: string, contactId: string | null, engaged: boolean, contacts: number][] = [
    ['a visit', 'web_visit', 'ada', true, 1],
    ['a visit of nobody known', 'web_visit', null, true, 0],
    ['a kind nobody knows', 'podcast', 'ada', true, 1],
    ['an impression', 'ad_impression', 'ada', false, 0],
    ['an opened mail', 'email_open', 'ada', false, 0],
    ['a parcel', 'direct_mail', 'ada', false, 0],
  ];
  it.each(rows)('%s', (_description, kind, contactId, engaged, contacts) => {
    const view = acme(new LogBuilder(AS_OF).touch({ kind, contactId }))!;
    expect([view.engaged, view.reach.contacts]).toEqual([engaged, contacts]);
  });

  it('ends with the reach window: 30 days', () => {
    const at = (occurredAt: number): boolean => acme(new LogBuilder(AS_OF).touch({ occurredAt }))!.engaged;
    expect([at(DAY - 29 * DAY_MS), at(DAY - 29 * DAY_MS - 1)]).toEqual([true, false]);
  });

  it('gives a contact to the campaign of its first touch ever; of several at one time, the first on the log', () => {
    const log = new LogBuilder(AS_OF);
    log.touch({ contactId: 'ada', campaignId: 'late' }).touch({ contactId: 'ada', campaignId: 'early', occurredAt: AS_OF - 200 * DAY_MS });
    log.touch({ contactId: 'bo', campaignId: 'early' }).touch({ contactId: 'bo', campaignId: 'tie' });
    log.touch({ contactId: 'cy' }).touch({ contactId: 'cy', campaignId: 'too late' });
    log.touch({ campaignId: 'nobody' }).touch({ contactId: 'dee', campaignId: '__proto__' });
    expect(Object.entries(acme(log)!.reach.byCampaign)).toEqual([
      ['early', 2],
      ['__proto__', 1],
    ]);
  });
});
