/** Wall clock in epoch milliseconds. It is read at the edge only and handed in, so that a test can hold it still. */
export type Clock = () => number;

export const systemClock: Clock = () => Date.now();
