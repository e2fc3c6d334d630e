import type { Timeline } from './timeline.ts';

/**
 * Lets things happen until `isOver` says so. Between two happenings every promise has its turn: whatever the code under test awaits comes from
 * a happening in the end, so one turn of the real event loop empties the queue of promises for certain. Where no code under test ran there is
 * nothing to wait for.
 */
export function runUntil(timeline: Timeline, isOver: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    function go(): void {
      try {
        for (;;) {
          timeline.isTouched = false;
          if (isOver()) {
            resolve();
            return;
          }
          if (!timeline.step()) throw new Error('nothing is planned any more, and it is not over');
          if (timeline.isTouched) break;
        }
      } catch (cause) {
        reject(cause instanceof Error ? cause : new Error(String(cause)));
        return;
      }
      setImmediate(go);
    }
    go();
  });
}
