export * from './reference/index.ts';
export { EntryRun } from './entry-run.ts';
export { startChdbHttpFront } from './start-chdb-http-front.ts';
export type { ChdbHttpFront } from './start-chdb-http-front.ts';
