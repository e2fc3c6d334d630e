import { expect, it } from 'vitest';
import { diffSchema, explanationSchema } from './explain-answers.ts';

it('the example of an explanation is one, and adds up', () => {
  const [example] = explanationSchema.meta()!.examples as [unknown];
  const { parts, points } = explanationSchema.parse(example);
  expect(parts.reduce((sum, part) => sum + part.points, 0)).toBe(points);
  for (const { decay, multiplier, points: ofPart, worth } of parts) expect(worth * decay! * multiplier!).toBe(ofPart);
});

it('the example of a change is one, and adds up', () => {
  const [example] = diffSchema.meta()!.examples as [unknown];
  const { change, from, parts, to } = diffSchema.parse(example);
  expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBe(change);
  expect(to.points - from.points).toBe(change);
});
