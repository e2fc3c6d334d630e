import { describe, expect, it } from 'vitest';
import { referenceOf } from './account-view.ts';
import { LogBuilder } from './log-builder.ts';
import type { RuleDocument, TouchRecord } from './log-entry.ts';
import { globMatches, scoreOf, worthOfTouches } from './points.ts';
import { referenceModel } from './reference-model.ts';

const NOON = Date.UTC(2026, 2, 10, 12);
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

function pointsOf(log: LogBuilder, asOf: number = NOON): number {
  return referenceOf(log.entries).view('acme', asOf)!.points;
}

describe('worth of a single touch under the default model', () => {
  const rows: [description: string, kind: string, minutes: number, worth: number][] = [
    ['an impression', 'ad_impression', 0, 0.1],
    ['a click', 'ad_click', 0, 2],
    ['a visit: 1 + 3 x 1', 'web_visit', 3, 4],
    ['a long visit stops at 10 minutes: 1 + 10 x 1', 'web_visit', 25, 11],
    ['content: 2 + 30 x 1', 'content_view', 31, 32],
    ['a form', 'form_fill', 9, 15],
    ['an opened mail', 'email_open', 0, 0.5],
    ['a click in a mail', 'email_click', 0, 3],
    ['social', 'social', 0, 1],
    ['an event: 20 + 240 x 0.2', 'event_attendance', 480, 68],
    ['a meeting: 30 + 45 x 0.5', 'meeting', 45, 52.5],
    ['a long meeting: 30 + 120 x 0.5', 'meeting', 180, 90],
    ['a call: 10 + 60 x 0.5', 'call', 90, 40],
    ['a parcel', 'direct_mail', 0, 1],
    ['a chat: 5 + 30 x 0.5', 'chat', 40, 20],
    ['use of the product: 1 + 120 x 0.2', 'product_use', 1440, 25],
    ['a kind nobody knows', 'podcast', 60, 0],
  ];
  it.each(rows)('%s', (_description, kind, minutes, worth) => {
    expect(pointsOf(new LogBuilder(NOON).touch({ kind, minutes }))).toBeCloseTo(worth, 12);
  });
});

describe('decay', () => {
  const rows: [description: string, occurredAt: number, points: number][] = [
    ['at once: 30', NOON, 30],
    ['after one half-life: 30 / 2', NOON - 14 * DAY_MS, 15],
    ['after three: 30 / 8', NOON - 42 * DAY_MS, 3.75],
    ['after half of one: 30 x 2^-0.5', NOON - 7 * DAY_MS, 21.213203435596427],
    ['ahead of the clock: age 0', NOON + 5 * MINUTE_MS, 30],
  ];
  it.each(rows)('%s', (_description, occurredAt, points) => {
    expect(pointsOf(new LogBuilder(NOON).touch({ kind: 'meeting', occurredAt }))).toBeCloseTo(points, 12);
  });

  it('goes on after the end of the log', () => {
    expect(pointsOf(new LogBuilder(NOON).touch({ kind: 'meeting' }), NOON + 28 * DAY_MS)).toBeCloseTo(7.5, 12);
  });
});

describe('multiplier', () => {
  const form = (): LogBuilder => new LogBuilder(NOON).touch({ kind: 'form_fill', contactId: 'ada' });
  const rows: [description: string, log: LogBuilder, points: number][] = [
    ['no role: 15', form(), 15],
    ['a role given later counts for earlier touches: 15 x 1.5', form().role('ada', 'decision_maker'), 22.5],
    ['a role without a multiplier: 15', form().role('ada', 'user'), 15],
    ["a role that is a name of every object's: 15", form().role('ada', 'constructor'), 15],
    ["another contact's role: 15", form().role('bo', 'decision_maker'), 15],
    ['the newest updatedAt wins over the later record: 15 x 1.3', form().role('ada', 'champion', 5).role('ada', 'user', 4), 19.5],
    ['of two with one updatedAt the later record wins: 15 x 1.1', form().role('ada', 'champion', 5).role('ada', 'influencer', 5), 16.5],
    ['a role taken back: 15', form().role('ada', 'champion', 5).role('ada', null, 6), 15],
    ['a touch of nobody known: 15', new LogBuilder(NOON).touch({ kind: 'form_fill' }).role('ada', 'champion'), 15],
  ];
  it.each(rows)('%s', (_description, log, points) => {
    expect(pointsOf(log)).toBeCloseTo(points, 12);
  });
});

describe('daily cap', () => {
  const rule: RuleDocument = { id: 'form', kind: 'form_fill', points: 15, dailyCap: 2 };
  const form = (id: string, fields: Partial<TouchRecord> = {}): TouchRecord => ({ id, kind: 'form_fill', occurredAt: NOON, ...fields });
  const rows: [description: string, rules: RuleDocument[], touches: TouchRecord[], worths: number[]][] = [
    ['the third of a day gives nothing', [rule], [form('1'), form('2'), form('3')], [15, 15, 0]],
    [
      'first in the log, not first in time',
      [rule],
      [form('1'), form('2', { occurredAt: NOON - 1 }), form('3', { occurredAt: NOON - 2 })],
      [15, 15, 0],
    ],
    [
      'the day is that of occurredAt in UTC: 23:59:59.999 and 00:00',
      [{ ...rule, dailyCap: 1 }],
      [form('1', { occurredAt: NOON - DAY_MS / 2 - 1 }), form('2', { occurredAt: NOON - DAY_MS / 2 }), form('3')],
      [15, 15, 0],
    ],
    [
      'each contact has its own count; all touches of nobody known share one',
      [{ ...rule, dailyCap: 1 }],
      [
        form('1', { contactId: 'ada' }),
        form('2', { contactId: 'bo' }),
        form('3'),
        form('4', { contactId: null }),
        form('5', { contactId: 'bo' }),
      ],
      [15, 15, 15, 0, 0],
    ],
    [
      'each rule has its own count, of the touches that match it: 1 + 10 for a pricing page',
      [
        { id: 'any', kind: 'form_fill', points: 1, dailyCap: 2 },
        { id: 'pricing', kind: 'form_fill', where: { url: '*/pricing*' }, points: 10, dailyCap: 1 },
      ],
      [form('1', { url: '/docs' }), form('2', { url: '/pricing' }), form('3', { url: '/pricing' }), form('4', { url: '/pricing' })],
      [1, 11, 0, 0],
    ],
    [
      'a touch that gives nothing for want of minutes uses up one: 0, then 5, then capped',
      [{ id: 'time', kind: 'form_fill', pointsPerMinute: 1, dailyCap: 2 }],
      [form('1'), form('2', { minutes: 5 }), form('3', { minutes: 5 })],
      [0, 5, 0],
    ],
  ];
  it.each(rows)('%s', (_description, rules, touches, worths) => {
    expect(worthOfTouches(touches, rules)).toEqual(worths);
  });
});

describe('where', () => {
  const touch: TouchRecord = {
    id: '1',
    kind: 'web_visit',
    occurredAt: NOON,
    channel: 'paid_social',
    campaignId: 'spring-24',
    url: 'https://x/pricing?a',
    properties: { plan: 'pro' },
  };
  const rows: [description: string, where: RuleDocument['where'], worth: number][] = [
    ['nothing asked', {}, 1],
    ['equal text', { channel: 'paid_social' }, 1],
    ['other text', { channel: 'paid' }, 0],
    ['other case', { channel: 'Paid_social' }, 0],
    ['a glob', { url: '*/pricing*' }, 1],
    ['all patterns must match', { channel: 'paid*', campaignId: 'autumn*' }, 0],
    ['a field the touch does not have', { creativeId: '*' }, 0],
    ['a property', { properties: { plan: 'p*' } }, 1],
    ['a property the touch does not have', { properties: { size: '*' } }, 0],
    ['a property that every object inherits', { properties: { toString: '*' } }, 0],
  ];
  it.each(rows)('%s', (_description, where, worth) => {
    expect(worthOfTouches([touch], [{ id: 'r', kind: 'web_visit', where, points: 1 }])).toEqual([worth]);
  });

  const globs: [pattern: string, text: string, matches: boolean][] = [
    ['*', '', true],
    ['a*', 'a', true],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['a*b*a', 'a-b-b-a', true],
    ['*b', 'bab', true],
    ['*ab*ab', 'ab', false],
    ['a.c', 'abc', false],
    ['a**c', 'ac', true],
    ['line*end', 'line\nend', true],
  ];
  it.each(globs)('%s on %j is %s', (pattern, text, matches) => {
    expect(globMatches(pattern, text)).toBe(matches);
  });
});

describe('score', () => {
  const rows: [description: string, points: number, score: number][] = [
    ['none', 0, 0],
    ['less than none', -5, 0],
    ['halfScorePoints give 50', 100, 50],
    ['twice as many 75', 200, 75],
    ['half as many 100 x (1 - 2^-0.5)', 50, 29.28932188134525],
    ['very many', 1e9, 100],
    ['next to none: 100 x ln 2 x points / 100, to all digits', 1e-9, 6.931471805599453e-10],
  ];
  it.each(rows)('%s', (_description, points, score) => {
    expect(Math.abs(scoreOf(points, referenceModel) - score)).toBeLessThanOrEqual(score * 1e-11);
  });
});
