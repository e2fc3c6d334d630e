/** Fewer than by default: what takes a few statements per partition, such as a start, takes less time, and several are as good as many. */
export const TEST_PARTITIONS = 3;
