/** Where a process can be told to die: between two steps of a checkpoint, or in the midst of one that takes a while. */
export const DYING_POINTS = [
  'after-publish',
  'before-insert',
  'after-insert',
  /** Touches are stored whose scores are not out, since the partition was taken up a moment ago and is behind what readers know. */
  'after-insert-held-back',
  'before-commit',
  'mid-hydration',
  'mid-dead-letter',
] as const;
export type DyingPoint = (typeof DYING_POINTS)[number];

/** Which point, and the how manieth time it is reached. */
export const DIE_AT = 'CHAOS_DIE_AT';
export const DIE_AT_TIME = 'CHAOS_DIE_AT_TIME';

const wanted = process.env[DIE_AT];
let left = Number(process.env[DIE_AT_TIME] ?? 1);

/** Such a process is told that the log ends later than it does, so that it sees a checkpoint while it holds scores back. */
export const isToBeHeldBack = wanted === 'after-insert-held-back';

/** Partitions of which this process has published scores. */
export const published = new Set<number | undefined>();
/** Partitions whose latest block came to the log after they were assigned here: nobody else has published anything of it. */
export const unseen = new Set<number>();

/** Ends this process with SIGKILL, of which nothing in it learns, when the point is the one it is to die at. */
export function reach(point: DyingPoint): void {
  if (point !== wanted || --left > 0) return;
  process.kill(process.pid, 'SIGKILL');
}
