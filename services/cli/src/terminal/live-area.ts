import stringWidth from 'string-width';

/**
 * Lines at the bottom of a terminal that are drawn again in place. On anything but a terminal it draws nothing: callers print plain lines
 * from time to time instead.
 */
export interface LiveArea {
  readonly isDrawn: boolean;
  draw(lines: readonly string[]): void;
  /** Prints a line above the area, for good. */
  print(line: string): void;
  clear(): void;
}

export function createLiveArea(stream: NodeJS.WriteStream): LiveArea {
  const isDrawn = stream.isTTY && process.env['TERM'] !== 'dumb';
  let drawn: readonly string[] = [];

  function erase(): void {
    if (drawn.length > 0) stream.write(`\u001b[${drawn.length}F\u001b[J`);
    drawn = [];
  }

  function draw(lines: readonly string[]): void {
    if (!isDrawn) return;
    erase();
    // A wrapped line would take two rows, and the next erase would miss one.
    const width = Math.max(10, (stream.columns || 80) - 1);
    drawn = lines.slice(0, Math.max(1, (stream.rows || 24) - 1)).map((line) => fit(line, width));
    stream.write(drawn.map((line) => `${line}\n`).join(''));
  }

  function print(line: string): void {
    const kept = drawn;
    erase();
    stream.write(`${line}\n`);
    if (kept.length > 0) draw(kept);
  }

  return { isDrawn, draw, print, clear: erase };
}

function fit(line: string, width: number): string {
  if (stringWidth(line) <= width) return line;
  let text = line;
  while (stringWidth(text) > width) text = text.slice(0, -1);
  return text;
}
