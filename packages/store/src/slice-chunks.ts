/** Chunks of rows in slices of about so many bytes, each chunk whole: chunks end where rows end. */
export function* sliceChunks(chunks: readonly Uint8Array[], bytesMax: number): Generator<readonly Uint8Array[]> {
  let some: Uint8Array[] = [];
  let bytes = 0;
  for (const chunk of chunks) {
    some.push(chunk);
    bytes += chunk.length;
    if (bytes < bytesMax) continue;
    yield some;
    some = [];
    bytes = 0;
  }
  if (some.length > 0) yield some;
}
