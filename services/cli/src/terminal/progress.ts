import { formatCount, formatDuration } from './format.ts';
import { createLiveArea } from './live-area.ts';

export interface ProgressState {
  /** 0 to 1; null when the end is not known, as when reading from a pipe. */
  readonly share: number | null;
  readonly done: number;
  /** What `done` counts, as in "47,748 lines". */
  readonly unit: string;
}

export interface Progress {
  update(state: ProgressState): void;
  print(line: string): void;
  end(): void;
}

const REDRAW_MS = 100;
const PLAIN_LINE_MS = 5_000;
const BAR_CELLS = 24;

/** A bar with rate and time left, on stderr: drawn on a terminal, a plain line every few seconds otherwise. */
export function createProgress(stream: NodeJS.WriteStream, options: { readonly isQuiet?: boolean } = {}): Progress {
  const area = createLiveArea(stream);
  const started = performance.now();
  const everyMs = area.isDrawn ? REDRAW_MS : PLAIN_LINE_MS;
  let last = area.isDrawn ? 0 : started;

  return {
    update(state): void {
      const now = performance.now();
      if (options.isQuiet === true || now - last < everyMs) return;
      last = now;
      const line = describe(state, (now - started) / 1000);
      if (area.isDrawn) area.draw([line]);
      else stream.write(`${line}\n`);
    },
    print: area.print,
    end: area.clear,
  };
}

function describe({ share, done, unit }: ProgressState, seconds: number): string {
  const rate = done / Math.max(seconds, 0.001);
  const figures = `${formatCount(done)} ${unit}  ${formatCount(Math.round(rate))}/s`;
  if (share === null) return figures;
  const full = Math.round(Math.min(1, share) * BAR_CELLS);
  const bar = '━'.repeat(full) + '─'.repeat(BAR_CELLS - full);
  const left = share > 0.01 ? `  ${formatDuration((seconds * (1 - share)) / share)} left` : '';
  return `${bar} ${String(Math.floor(Math.min(1, share) * 100)).padStart(3)} %  ${figures}${left}`;
}
