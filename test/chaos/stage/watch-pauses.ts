const TICK_MS = 20;

export interface PauseWatch {
  /** The longest that this process had to wait for a turn since it began, ms: what a busy machine does to all processes. */
  finish(): number;
}

export function watchPauses(): PauseWatch {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last - TICK_MS);
    last = now;
  }, TICK_MS);
  return {
    finish() {
      clearInterval(timer);
      return Math.round(longest);
    },
  };
}
