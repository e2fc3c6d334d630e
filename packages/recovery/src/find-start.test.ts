import { describe, expect, it } from 'vitest';
import { findStart, StartError } from './find-start.ts';

const extent = (start: number, end: number, generation = 'g1') => ({ partition: 3, start, end, generation });
const stored = (offset: number, generation = 'g1') => ({ partition: 3, offset, generation });
const committed = (offset: number) => ({ offset, generation: 'g1' });

describe('where a partition is taken up', () => {
  it.each([
    ['nothing stored, nothing logged', extent(0, 0), undefined, undefined, 0],
    ['nothing stored, the whole log still there', extent(0, 50), undefined, undefined, 0],
    ['stored and committed alike', extent(0, 50), stored(20), committed(20), 20],
    ['crashed after storing, before the commit', extent(0, 50), stored(30), committed(20), 30],
    ['a store restored from an older backup', extent(5, 50), stored(10), committed(20), 10],
    ['stored up to the end', extent(0, 50), stored(50), committed(50), 50],
    ['old records dropped up to what is stored', extent(20, 50), stored(20), committed(20), 20],
  ])('%s', (_what, log, inStore, inLog, expected) => {
    expect(findStart(log, inStore, inLog)).toBe(expected);
  });

  it.each([
    ['a log made anew', extent(0, 50, 'g2'), stored(20), undefined, 'topic_made_anew', 'Partition 3 is of generation g2, the store of g1'],
    [
      'a log cut off below the store',
      extent(0, 10),
      stored(20),
      committed(20),
      'log_truncated',
      'Partition 3 ends at 10, the store is at 20',
    ],
    ['records dropped before they were stored', extent(21, 50), stored(20), undefined, 'records_lost', 'begins at 21, the store is at 20'],
    [
      'an empty store beside a log that was swept',
      extent(7, 50),
      undefined,
      committed(20),
      'records_lost',
      'up to 20 they were handled once',
    ],
  ])('%s is refused with what to do', (_what, log, inStore, inLog, code, detail) => {
    const start = () => findStart(log, inStore, inLog);
    expect(start).toThrow(StartError);
    expect(start).toThrow(expect.objectContaining({ code, message: expect.stringContaining(detail) }));
    expect(start).toThrow(/empty store/);
  });
});
