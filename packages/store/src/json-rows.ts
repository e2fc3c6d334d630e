const utf8 = new TextDecoder();

/** The rows of an answer in JSONEachRow. 64-bit numbers are text or numbers, as the server is set: pass them through `Number`. */
export function jsonRows<Row>(answer: Uint8Array): Row[] {
  const lines = utf8.decode(answer).split('\n');
  lines.pop();
  return lines.map((line) => JSON.parse(line) as Row);
}
