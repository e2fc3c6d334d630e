import { runPart } from './guard/run-part.ts';
import { answerOnly } from './tasks/answer-only.ts';
import { appendBatches } from './tasks/append-batches.ts';
import { applyTouches } from './tasks/apply-touches.ts';
import { fillKafka } from './tasks/fill-kafka.ts';
import { fillLog } from './tasks/fill-log.ts';
import { lookUpOnly } from './tasks/look-up-only.ts';
import { measureFanOut } from './tasks/measure-fan-out.ts';
import { measureKpis } from './tasks/measure-kpis.ts';
import { measureLatency } from './tasks/measure-latency.ts';
import { measureLedgers } from './tasks/measure-ledgers.ts';
import { measureReads } from './tasks/measure-reads.ts';
import { postRequests } from './tasks/post-requests.ts';
import { putBatches } from './tasks/put-batches.ts';
import { readKafka } from './tasks/read-kafka.ts';
import { storeRows } from './tasks/store-rows.ts';
import { timeCheckpoints } from './tasks/time-checkpoints.ts';

/** What is measured in a process of its own, so that nothing else shares its heap, its compiler and its event loop. */
export const TASKS = {
  answerOnly,
  appendBatches,
  applyTouches,
  fillKafka,
  fillLog,
  lookUpOnly,
  measureFanOut,
  measureKpis,
  measureLatency,
  measureLedgers,
  measureReads,
  postRequests,
  putBatches,
  readKafka,
  runPart,
  storeRows,
  timeCheckpoints,
};

export type Tasks = typeof TASKS;
export type TaskName = keyof Tasks;
export type TaskArgs<Name extends TaskName> = Parameters<Tasks[Name]>[0];
export type TaskResult<Name extends TaskName> = Awaited<ReturnType<Tasks[Name]>>;
