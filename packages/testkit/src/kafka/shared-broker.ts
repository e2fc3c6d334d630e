/**
 * One broker for all test files of a run that need one: `name.broker.test.ts`, run by `vitest run --config vitest.broker.config.ts`. The
 * default run leaves them out. How to use it:
 *
 *     import { sharedBroker } from '@touchstone/testkit';
 *     const { brokers, missing } = sharedBroker();
 *     describe.skipIf(missing !== null)('...', () => { ... brokers is what KAFKA_BROKERS would be ... });
 *
 * Files share its topics, too: give yours names of their own. What needs the topics of the real system (`events`), or stops and kills the
 * broker, starts its own with `startOwnBroker()`. Without a broker the run says in one line what it leaves out and why; with CI=true it fails.
 */
export interface SharedBroker {
  /** `host:port,...`; empty when missing. */
  readonly brokers: string;
  /** Why there is no broker; null when there is one. */
  readonly missing: string | null;
}

/** Set by the setup for the processes that run test files. */
export const SHARED_BROKERS = 'TOUCHSTONE_TEST_KAFKA_BROKERS';
export const MISSING_BROKER = 'TOUCHSTONE_TEST_KAFKA_MISSING';

/** @throws Error outside a run that has set a broker up, or said why there is none */
export function sharedBroker(): SharedBroker {
  const brokers = process.env[SHARED_BROKERS];
  if (brokers !== undefined) return { brokers, missing: null };
  const missing = process.env[MISSING_BROKER];
  if (missing !== undefined) return { brokers: '', missing };
  throw new Error('this test file needs a broker: run it with `vitest run --config vitest.broker.config.ts FILE`');
}
