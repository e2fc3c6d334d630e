import { differences, referenceOf, type LogEntry } from '@touchstone/testkit';
import type { StreamFollower, StreamedScore } from './follow-stream.ts';
import type { ListedAccount } from './served-accounts.ts';
import { until } from './settle.ts';

const TOLD_WITHIN_MS = 20_000;

/** Waits until a follower has been told the newest score of every listed account; what it was never told, one line each. */
export async function neverTold({ latest }: StreamFollower, list: readonly ListedAccount[]): Promise<string[]> {
  const missing = (): ListedAccount[] =>
    list.filter(({ accountId, version, modelVersion }) => {
      const told = latest.get(accountId);
      return told?.version !== version || told.modelVersion !== modelVersion;
    });
  await until(Date.now() + TOLD_WITHIN_MS, 'the stream has told every score', async () => missing().length === 0).catch(() => {});
  return missing().map(({ accountId, version, modelVersion }) => {
    const told = latest.get(accountId);
    return `${accountId} is at version ${version} of ${modelVersion}, the stream told ${told?.version} of ${told?.modelVersion}`;
  });
}

/** What the last scores that a follower was told get wrong, one line each; `latest` must be of the end of the log. */
export function wrongStreamed(latest: ReadonlyMap<string, StreamedScore>, log: readonly LogEntry[]): string[] {
  const reference = referenceOf(log);
  return [...latest.values()].flatMap(({ accountId, asOf, points, version, modelVersion }) => {
    const view = reference.view(accountId, Date.parse(asOf));
    if (view === null) return [`the stream told of ${accountId}, which the log does not name`];
    return differences(view, { ...view, points, version, modelVersion }).map((line) => `in the stream, ${line}`);
  });
}
