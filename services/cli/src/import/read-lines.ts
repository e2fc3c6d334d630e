/** One line of the input, without its end. */
export interface Line {
  /** Counted from 1. */
  readonly number: number;
  /** Cut at LINE_BYTES_MAX. */
  readonly text: string;
  readonly isTooLong: boolean;
}

/** Spaces and escapes apart the server takes items of 32 KiB: a line eight times as long can be no use, and would only take memory. */
export const LINE_BYTES_MAX = 256 * 1024;

const NEWLINE = 10;

/** Splits chunks into lines, those of one chunk together; bytes that are no UTF-8 become U+FFFD. The last line needs no newline. */
export async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Line[]> {
  let number = 0;
  let kept: Buffer[] = [];
  let keptBytes = 0;

  function finish(): Line {
    const bytes = kept.length === 1 ? kept[0]! : Buffer.concat(kept);
    const isTooLong = keptBytes > LINE_BYTES_MAX;
    const text = bytes.toString('utf8').replace(/\r$/, '');
    kept = [];
    keptBytes = 0;
    number++;
    return { number, text: number === 1 ? text.replace(/^\ufeff/, '') : text, isTooLong };
  }

  function keep(part: Buffer): void {
    const room = LINE_BYTES_MAX - keptBytes;
    if (room > 0) kept.push(part.length > room ? part.subarray(0, room) : part);
    keptBytes += part.length;
  }

  for await (const chunk of chunks) {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, end));
      lines.push(finish());
      start = end + 1;
    }
    if (start < chunk.length) keep(chunk.subarray(start));
    yield lines;
  }
  if (keptBytes > 0) yield [finish()];
}
