import { expect, it } from 'vitest';
import { alertOf } from './test-alerts.ts';
import { answers, taken, TestWorld } from './test-world.ts';

const message = (number: number) => alertOf({ id: `alr_${number}` });

it('what was under way when a receiver asked for a pause does not end the pause', async () => {
  const world = await TestWorld.start({ 'a.example': {} });
  const first = Promise.withResolvers<void>();
  world.receivers.set('a.example', async ({ headers }) => {
    if (headers['webhook-id'] === 'alr_2' && world.received.length === 2) return answers(429, '60');
    if (headers['webhook-id'] === 'alr_1') await first.promise;
    return taken;
  });
  await world.topic.append(0, [message(1), message(2)]);
  await world.scheduler.advance(1000);
  first.resolve();
  await world.topic.append(0, [message(3)]);
  await world.scheduler.advance(58_000);
  expect(world.received.map(({ id }) => id)).toEqual(['alr_1', 'alr_2']);
  await world.scheduler.advance(60_000);
  expect(
    world.received
      .map(({ id }) => id)
      .slice(2)
      .sort(),
  ).toEqual(['alr_2', 'alr_3']);
  expect(world.faults).toEqual([]);
});
