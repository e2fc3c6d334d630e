import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { defaultModel } from './default-model.ts';
import { compileGlob, fieldsUsed } from './match-rule.ts';

const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.'), maxLength: 12 });
const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', '*'), maxLength: 8 });

describe('globs', () => {
  test.prop([pattern, text], { numRuns: 5000 })('match as the regular expression they stand for', (glob, value) => {
    const expression = new RegExp(`^${glob.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
    expect(compileGlob(glob)(value)).toBe(expression.test(value));
  });

  test('take no longer for a pattern made to be slow', () => {
    const matches = compileGlob(`${'*a'.repeat(1000)}*b`);
    expect(matches('a'.repeat(2048))).toBe(false);
  });
});

describe('fields used', () => {
  test('are those that a pattern of some rule reads, and the campaign', () => {
    const rules = [
      { id: 'a', kind: 'web_visit', points: 1, pointsPerMinute: 0, maxMinutes: 0, where: { url: '/pricing*' } },
      { id: 'b', kind: 'web_visit', points: 1, pointsPerMinute: 0, maxMinutes: 0, where: { properties: { plan: 'pro' } } },
    ];
    expect(fieldsUsed({ ...defaultModel, rules }).sort()).toEqual(['campaignId', 'properties', 'url']);
    expect(fieldsUsed(defaultModel)).toEqual(['campaignId']);
  });
});
