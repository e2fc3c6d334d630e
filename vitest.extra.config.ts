import { defineConfig } from 'vitest/config';

/** What the default run leaves out because it takes minutes or has needs of its own: `.ci/run` runs it, as does `vitest run --config` by hand. */
export default defineConfig({
  test: {
    include: ['test/extra/**/*.test.ts'],
    pool: 'forks',
    // Each of these loads the machine by itself: two at once would measure and disturb each other.
    fileParallelism: false,
    // What a test waits for comes in milliseconds or never: only how busy the machine is decides the rest.
    expect: { poll: { timeout: 20_000, interval: 10 } },
    testTimeout: 15 * 60_000,
    hookTimeout: 60_000,
    passWithNoTests: true,
  },
});
