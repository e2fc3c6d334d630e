import { enableCompileCache } from 'node:module';

/**
 * Our pipeline as one engine of a comparison that runs the same scoring job on several, each as a command with this environment. It runs until
 * SIGTERM. The pipeline is the aggregator's: engine, log, checkpoints and recovery are those of the product; `peers/` says the job.
 *
 * With STORE=chdb every touch is stored in ClickHouse under STATE_DIR, and a start goes on from there. With STORE=log the log is the only store:
 * a start reads all of it. Either way a process may be killed at any time (`killed-engine.broker.test.ts` does it), and nothing of a backlog is
 * published before its end: see `Intake.heldUntil`. With BACKLOG=published scores of a first backlog go out as it is worked off, so that after a
 * kill between a partition's first publication and its first commit older ones may go out again.
 */

if (import.meta.main) {
  // As a virtual machine that keeps what it has compiled: half of the start is compiling.
  enableCompileCache();
  const { runUntilTold } = await import('./peers/run-until-told.ts');
  await runUntilTold();
}
