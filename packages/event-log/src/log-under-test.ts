import { afterEach, beforeEach, expect } from 'vitest';
import type { EventLog, OutgoingRecord } from './event-log.ts';

/** A log of an adapter, for one test of the contract. */
export interface LogUnderTest {
  /** Opens the log with all that is in it. Called again only after the one before was closed. */
  open(): Promise<EventLog>;
  remove(): Promise<void>;
}
export type SetUpLog = (topics: { events: { partitions: number } }) => Promise<LogUnderTest>;

/** What the tests of a contract work on: another log for each of them. */
export interface PlaceOfLog {
  readonly log: EventLog;
  reopen(): Promise<void>;
}

export const PARTITIONS = 4;

export function logOfEachTest(setUp: SetUpLog): PlaceOfLog {
  let underTest: LogUnderTest;
  let log: EventLog;
  beforeEach(async () => {
    underTest = await setUp({ events: { partitions: PARTITIONS } });
    log = await underTest.open();
  });
  afterEach(async () => {
    await log.close();
    await underTest.remove();
  });
  return {
    get log() {
      return log;
    },
    async reopen() {
      await log.close();
      log = await underTest.open();
    },
  };
}

export const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
export const record = (key: string | null, value: string | null, partition?: number): OutgoingRecord => ({
  key: key === null ? null : bytes(key),
  value: value === null ? null : bytes(value),
  ...(partition === undefined ? {} : { partition }),
});
export const toEvery = (value: string): OutgoingRecord[] =>
  Array.from({ length: PARTITIONS }, (_, partition) => record('k', value, partition));
export const code = (expected: string): unknown => expect.objectContaining({ name: 'EventLogError', code: expected });
