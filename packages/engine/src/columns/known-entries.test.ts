import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { KnownEntries } from './known-entries.ts';

describe('known entries', () => {
  const lookUp = fc.record({ entry: fc.integer({ min: -1, max: 40 }), dictionaries: fc.nat(2) });

  test.prop([fc.array(lookUp, { maxLength: 200 })])(
    'give the number kept for the entry of the same dictionaries, and no other',
    (lookUps) => {
      const dictionaries = [{}, {}, null];
      const known = new KnownEntries();
      let turned = 2;
      let kept = new Map<number, number>();
      for (const [number, lookUp] of lookUps.entries()) {
        if (lookUp.dictionaries !== turned) kept = new Map();
        turned = lookUp.dictionaries;
        known.turnTo(dictionaries[turned]!);
        for (let entry = -1; entry <= 41; entry++) expect(known.find(entry)).toBe(kept.get(entry) ?? -1);
        known.keep(lookUp.entry, number);
        if (lookUp.entry >= 0) kept.set(lookUp.entry, number);
      }
    },
  );
});
