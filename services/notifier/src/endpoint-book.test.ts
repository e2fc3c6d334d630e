import { createLogger } from '@touchstone/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { EndpointBook } from './endpoint-book.ts';
import { TestWorld } from './test-world.ts';

const REFRESH = 5000;

describe('the books of two processes on one store', () => {
  let world: TestWorld;
  let one: EndpointBook;
  let other: EndpointBook;
  let id: string;

  const open = async (): Promise<EndpointBook> => {
    const { faults, metrics, scheduler, store } = world;
    const logger = createLogger({ service: 'test', level: 'silent' });
    const book = new EndpointBook({ store, scheduler, metrics, logger, onFatal: (cause) => void faults.push(cause) });
    await book.start();
    return book;
  };

  beforeEach(async () => {
    world = new TestWorld();
    await world.addEndpoint('crm', { secrets: ['a'] });
    await world.addEndpoint('erp');
    one = await open();
    other = await open();
    id = 'ep_crm';
  });

  it('change what is stored, not what they saw last', async () => {
    await one.change(id, ({ secrets }) => ({ secrets: ['b', ...secrets] }));
    const changed = await other.change(id, ({ secrets }) => ({ name: 'CRM', secrets: ['c', ...secrets] }));
    expect(changed).toMatchObject({ name: 'CRM', secrets: ['c', 'b', 'a'], revision: 2 });
    await world.scheduler.advance(REFRESH);
    expect(one.get(id)).toEqual(changed);
  });

  it('bring back nothing that was deleted by the other, also at the same moment', async () => {
    const stale = one.get(id)!;
    expect(await one.remove(id)).toBe(true);
    expect(await other.change(id, { state: 'disabled' })).toBeNull();
    expect(await other.remove(id)).toBe(false);
    // Read before and written after.
    await world.store.saveEndpoint({ ...stale, filter: '{}', revision: stale.revision + 1 });
    await world.scheduler.advance(REFRESH);
    expect([one.get(id), other.get(id)]).toEqual([null, null]);
    expect(one.all).toHaveLength(1);
  });

  it('agree after both wrote the same revision, and tell of nothing else', async () => {
    const mine = await one.change(id, { name: 'mine' });
    await world.store.saveEndpoint({ ...mine!, name: 'theirs', filter: '{}' });
    const erp = one.get('ep_erp');
    let told = 0;
    one.onChange(() => void told++);
    await world.scheduler.advance(2 * REFRESH);
    expect([one.get(id)!.name, other.get(id)!.name, told]).toEqual(['theirs', 'theirs', 1]);
    expect(one.get('ep_erp')).toBe(erp);
    expect(world.faults).toEqual([]);
  });
});
