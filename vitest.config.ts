import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'services/*/src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts'],
    // vitest.extra.config.ts and vitest.broker.config.ts run those.
    exclude: ['test/extra/**', '**/*.broker.test.ts', '**/node_modules/**'],
    pool: 'forks',
    // What a test waits for comes in milliseconds or never: only how busy the machine is decides the rest.
    expect: { poll: { timeout: 20_000, interval: 10 } },
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
