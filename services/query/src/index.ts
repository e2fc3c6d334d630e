export { registerQuery } from './query.ts';
export type { QueryDependencies } from './query.ts';
export { ScoreFeed } from './score-feed.ts';
