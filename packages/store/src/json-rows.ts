import { StoreError } from './store-error.ts';

const utf8 = new TextDecoder();

/**
 * The rows of an answer in JSONEachRow. 64-bit numbers are text or numbers, as the server is set: pass them through `Number`.
 * @throws StoreError `unavailable` when there is something else among the rows, or the last of them has no end: a row less would pass for an
 *   answer
 */
export function jsonRows<Row>(answer: Uint8Array): Row[] {
  const lines = utf8.decode(answer).split('\n');
  const rest = lines.pop();
  try {
    if (rest !== '') throw new SyntaxError('the last row has no end');
    return lines.map((line) => JSON.parse(line) as Row);
  } catch (cause) {
    throw new StoreError('unavailable', `The answer is broken: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
