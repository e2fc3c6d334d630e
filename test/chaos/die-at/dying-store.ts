import { openStore as openReal, type Store, type StoreOptions } from '@touchstone/store';
import { published, reach, unseen } from './dying-point.ts';
import { withMethods } from './with-methods.ts';

export * from '@touchstone/store';

/** Stands in for the store's opener in a process that is to die. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const store = await openReal(options);
  return withMethods(store, {
    async checkpoint(checkpoints) {
      const hasDeadLetters = checkpoints.some(({ deadLetters }) => deadLetters.length > 0);
      const isHeldBack = checkpoints.some(
        ({ partition, touches }) => touches.count > 0 && unseen.has(partition) && !published.has(partition),
      );
      if (hasDeadLetters) reach('mid-dead-letter');
      reach('before-insert');
      await store.checkpoint(checkpoints);
      // Nobody reads again what is stored: a dead letter that is not out by now never comes out.
      if (hasDeadLetters) reach('after-insert');
      if (isHeldBack) reach('after-insert-held-back');
    },
    async *replay(partition, before, range): ReturnType<typeof store.replay> {
      for await (const run of store.replay(partition, before, range)) {
        yield run;
        reach('mid-hydration');
      }
    },
  });
}
