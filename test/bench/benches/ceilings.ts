import { BACKLOG_DAYS, PARTITIONS, type BenchContext } from '../bench-context.ts';
import { figure, type Section } from '../figures.ts';
import { runTask, startTask } from '../start-task.ts';

const BATCH = 500;
/** About what the server gathers between two checkpoints. */
const ROWS_PER_CHECKPOINT = 100_000;

/** What each part could do if it were alone: no system made of them can be faster. */
export async function benchCeilings({ makeDirectory, sizes }: BenchContext): Promise<Section> {
  const { accounts, ceiling, contacts, runs } = sizes;
  const world = { accounts, contacts, seed: 1 };
  const inMemory = { ...world, touches: ceiling, partitions: PARTITIONS, days: BACKLOG_DAYS, runs };

  const http = await startTask('answerOnly', undefined);
  const posting = { ...world, port: http.result.port, key: 'none', runs, isWhole: false };
  const single = await runTask('postRequests', {
    ...posting,
    format: 'single',
    touches: sizes.ingestSingle,
    touchesPerRequest: 1,
    connections: 64,
  });
  const batches = await runTask('postRequests', {
    ...posting,
    format: 'array',
    touches: sizes.ingestBatched,
    touchesPerRequest: BATCH,
    connections: 8,
  });
  await http.stop();

  const appending = { ...world, partitions: PARTITIONS, touches: ceiling, touchesPerAppend: BATCH, runs };
  const oneInFlight = await runTask('appendBatches', { ...appending, directory: makeDirectory(), inFlight: 1 });
  const eightInFlight = await runTask('appendBatches', { ...appending, directory: makeDirectory(), inFlight: 8 });
  const oneRaw = await runTask('putBatches', { ...appending, directory: makeDirectory(), inFlight: 1 });
  const eightRaw = await runTask('putBatches', { ...appending, directory: makeDirectory(), inFlight: 8 });
  const applied = await runTask('applyTouches', inMemory);
  const stored = await runTask('storeRows', { ...inMemory, directory: makeDirectory(), rowsPerCheckpoint: ROWS_PER_CHECKPOINT });

  return {
    title: 'Ceilings: each part alone',
    text:
      `HTTP: fastify answers 202 to the same bodies and does nothing. Log: appends of ${BATCH} touches, each synced before it counts; lmdb: the same bytes, a value each. ` +
      `Engine: ${ceiling.toLocaleString('en-GB')} touches from memory into ledgers of ${PARTITIONS} partitions; reading a touch from its ` +
      `block is measured apart. Store: checkpoints of ${ROWS_PER_CHECKPOINT.toLocaleString('en-GB')} rows, synced, and their replay.`,
    figures: [
      figure(
        'HTTP, single touches on 64 connections',
        'touches/s',
        single.map((run) => run.touchesPerSecond),
      ),
      figure(
        `HTTP, arrays of ${BATCH} on 8 connections`,
        'touches/s',
        batches.map((run) => run.touchesPerSecond),
      ),
      figure('lmdb, one append at a time', 'touches/s', oneRaw),
      figure('lmdb, eight appends at a time', 'touches/s', eightRaw),
      figure('log, one append at a time', 'touches/s', oneInFlight, 'lmdb, one append at a time'),
      figure('log, eight appends at a time', 'touches/s', eightInFlight, 'lmdb, eight appends at a time'),
      figure(
        'engine, reading',
        'µs/touch',
        applied.map(({ readSeconds }) => (readSeconds * 1e6) / ceiling),
      ),
      figure(
        'engine, applying',
        'µs/touch',
        applied.map(({ applySeconds }) => (applySeconds * 1e6) / ceiling),
      ),
      figure(
        'engine, both',
        'touches/s',
        applied.map(({ applySeconds, readSeconds }) => ceiling / (applySeconds + readSeconds)),
      ),
      figure(
        'store, checkpoints',
        'rows/s',
        stored.map(({ checkpointRowsPerSecond }) => checkpointRowsPerSecond),
      ),
      figure(
        'store, replay',
        'rows/s',
        stored.map(({ replayRowsPerSecond }) => replayRowsPerSecond),
      ),
    ],
  };
}
