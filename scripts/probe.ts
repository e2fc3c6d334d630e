/**
 * The health check of our containers: asks the process beside it, on `PORT`, and ends with 0 when the answer is 200. The image has neither curl
 * nor wget.
 *
 *     node scripts/probe.ts [/healthz | /readyz]
 */

const ANSWERS_WITHIN_MS = 4_000;

/** What is wrong, for the few lines that Docker keeps of a check; null when nothing is. */
async function probe(url: string): Promise<string | null> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) });
    const text = await answer.text();
    return answer.status === 200 ? null : `${answer.status} ${text}`;
  } catch (err) {
    return `${url} does not answer: ${err instanceof Error ? err.message : String(err)}`;
  }
}

if (import.meta.main) {
  const problem = await probe(`http://127.0.0.1:${process.env['PORT'] ?? '8080'}${process.argv[2] ?? '/healthz'}`);
  if (problem !== null) console.log(problem);
  process.exitCode = problem === null ? 0 : 1;
}
