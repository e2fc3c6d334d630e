import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogRun } from '@touchstone/codec';
import { defaultModel, FIELD, RECORD, type Fact, type ScoringModel } from '@touchstone/engine';
import {
  EventLogError,
  openEmbeddedLog,
  RecordReader,
  type EmbeddedLog,
  type EmbeddedLogOptions,
  type EventLog,
  type EventLogErrorCode,
} from '@touchstone/event-log';
import { createHttpApp, createLogger, createMetrics, type Caller, type HttpApp, type Metrics } from '@touchstone/runtime';
import { registerIngest, type IngestOptions } from './register-ingest.ts';

export const NOW = Date.UTC(2026, 2, 1, 12);

const CALLERS: ReadonlyMap<string, Caller> = new Map([
  ['sk_all', { keyId: 'all', kind: 'secret', scopes: new Set(['ingest', 'read', 'admin', 'privacy']) }],
  ['sk_ingest', { keyId: 'ingest', kind: 'secret', scopes: new Set(['ingest']) }],
  ['wk_page', { keyId: 'page', kind: 'write', scopes: new Set(['collect']) }],
]);

/** What stands on the log, in the order of partitions and offsets. */
export interface LoggedRecord {
  readonly partition: number;
  readonly key: string | null;
  readonly record:
    | { readonly touch: LoggedTouch }
    | { readonly fact: Fact }
    | { readonly model: ScoringModel }
    | { readonly poison: string };
}

export interface LoggedTouch {
  readonly id: string | null;
  readonly accountId: string | null;
  readonly contactId: string | null;
  readonly kind: string | null;
  readonly occurredAt: number;
  readonly minutes: number;
  readonly url: string | null;
  readonly properties: number;
}

export interface TestIngest {
  readonly app: HttpApp;
  readonly log: EmbeddedLog;
  readonly metrics: Metrics;
  /** Models in force or used before, by version; a test adds to it what an aggregator would. */
  readonly models: Map<string, ScoringModel>;
  /** From now on appends fail with this code; with null they reach the log again. */
  failAppends(code: EventLogErrorCode | null): void;
  read(): Promise<readonly LoggedRecord[]>;
  close(): Promise<void>;
}

/** The service on a real log in a folder of its own. Every answer is held against the OpenAPI document. */
export async function openTestIngest(
  logOptions: Partial<EmbeddedLogOptions> = {},
  more: Pick<IngestOptions, 'deadLetters'> = {},
): Promise<TestIngest> {
  const directory = mkdtempSync(join(tmpdir(), 'touchstone-ingest-'));
  const log = await openEmbeddedLog({ directory, topics: { events: { partitions: 4 } }, sweepIntervalMs: 0, ...logOptions });
  const metrics = createMetrics({ ofProcess: false });
  const logger = createLogger({ service: 'test', level: 'silent' });
  const app = await createHttpApp({ logger, metrics, keys: { verify: (token) => CALLERS.get(token) ?? null }, checkAnswers: true });
  const models = new Map([[defaultModel.version, defaultModel]]);
  let failure: EventLogErrorCode | null = null;
  const gate: Pick<EventLog, 'append' | 'partitionCount'> = {
    partitionCount: (topic) => log.partitionCount(topic),
    append: (topic, records) => (failure ? Promise.reject(new EventLogError(failure, 'as the test wants')) : log.append(topic, records)),
  };
  const options = { log: gate, metrics, clock: () => NOW, model: () => defaultModel, modelVersions: () => models };
  await registerIngest(app, { ...options, ...more });
  await app.ready();
  return {
    app,
    log,
    metrics,
    models,
    failAppends: (code) => (failure = code),
    read: () => readLog(log),
    async close() {
      await app.close();
      await log.close();
      rmSync(directory, { recursive: true });
    },
  };
}

async function readLog(log: EmbeddedLog): Promise<readonly LoggedRecord[]> {
  const records: LoggedRecord[] = [];
  const ends = new Map((await log.extents('events')).filter(({ end }) => end > 0).map(({ partition, end }) => [partition, end]));
  if (ends.size === 0) return records;
  const done = Promise.withResolvers<undefined>();
  const subscription = await log.subscribe({
    topic: 'events',
    group: null,
    onAssigned: () => 0,
    onFailed: done.reject,
    onBlock(block) {
      const reader = new RecordReader();
      const run = new LogRun(block.partition, reader);
      run.open(block);
      while (run.next()) {
        const key = reader.keyStart < 0 ? null : Buffer.from(block.bytes.subarray(reader.keyStart, reader.keyEnd)).toString();
        records.push({ partition: block.partition, key, record: recordOf(run) });
      }
      if (block.nextOffset === ends.get(block.partition)) ends.delete(block.partition);
      if (ends.size === 0) done.resolve(undefined);
    },
  });
  await done.promise;
  await subscription.stop();
  return records.sort((a, b) => a.partition - b.partition);
}

function recordOf(run: LogRun<never>): LoggedRecord['record'] {
  const { kind, touch, fact, model, poison } = run;
  if (kind === RECORD.fact) return { fact: fact! };
  if (kind === RECORD.model) return { model: model! };
  if (kind === RECORD.poison) return { poison: poison!.detail };
  const text = (field: number): string | null => touch.text(field);
  return {
    touch: {
      id: text(FIELD.id),
      accountId: text(FIELD.accountId),
      contactId: text(FIELD.contactId),
      kind: text(FIELD.kind),
      occurredAt: touch.occurredAt,
      minutes: touch.minutes,
      url: text(FIELD.url),
      properties: touch.propertyCount,
    },
  };
}
