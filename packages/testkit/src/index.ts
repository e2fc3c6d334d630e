export * from './reference/index.ts';
export { EntryRun } from './entry-run.ts';
