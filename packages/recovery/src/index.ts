export { modelInForce } from './choose-model.ts';
export { findStart, START_ERRORS, StartError } from './find-start.ts';
export type { StartErrorCode } from './find-start.ts';
export { readStartState } from './start-state.ts';
export type { StartSources, StartState } from './start-state.ts';
export { restoreLedgers, restoreSums } from './restore-ledgers.ts';
export type { RestoreOptions } from './restore-ledgers.ts';
export { Snapshots } from './snapshots.ts';
export type { Found, SnapshotOrigin } from './snapshots.ts';
