import { makeTouchBlocks } from '../tasks/touch-blocks.ts';

/** What the guard's parts are measured on. */
export const SMALL = { accounts: 5000, contacts: 70_000, seed: 1 } as const;
export const PARTITIONS = 8;
export const TOUCHES = 150_000;

export const smallBlocks = () => makeTouchBlocks({ ...SMALL, touches: TOUCHES, partitions: PARTITIONS, days: 60 });
