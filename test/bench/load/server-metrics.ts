const POLL_MS = 10;
const WAIT_MS_MAX = 120_000;

/** The server's own figures at one moment. */
export interface ServerMetrics {
  /** Touches of the log that were applied; their scores can be read. */
  readonly touchesApplied: number;
  /** In memory. */
  readonly accounts: number;
  readonly contacts: number;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly externalBytes: number;
  readonly heapUsedBytes: number;
}

export async function readMetrics(url: string): Promise<ServerMetrics> {
  const response = await fetch(`${url}/metrics`);
  const text = await response.text();
  const value = (name: string): number => Number(new RegExp(`^${RegExp.escape(name)} (\\S+)`, 'm').exec(text)?.[1] ?? 0);
  return {
    touchesApplied: value('touchstone_records_applied_total{record="touch"}'),
    accounts: value('touchstone_ledgers'),
    contacts: value('touchstone_contacts'),
    cpuSeconds: value('process_cpu_seconds_total'),
    residentBytes: value('process_resident_memory_bytes'),
    externalBytes: value('nodejs_external_memory_bytes'),
    heapUsedBytes: value('nodejs_heap_size_used_bytes'),
  };
}

/** Waits until so many touches have been applied since the server started. */
export async function untilApplied(url: string, touches: number): Promise<ServerMetrics> {
  const deadline = performance.now() + WAIT_MS_MAX;
  for (;;) {
    const metrics = await readMetrics(url);
    if (metrics.touchesApplied >= touches) return metrics;
    if (performance.now() > deadline)
      throw new Error(`after ${WAIT_MS_MAX} ms ${metrics.touchesApplied} of ${touches} touches are applied`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
