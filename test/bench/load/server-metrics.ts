const POLL_MS = 10;
const WAIT_MS_MAX = 120_000;

/** The server's own figures at one moment. */
export interface ServerMetrics {
  /** Touches of the log that were applied; their scores can be read. */
  readonly touchesApplied: number;
  /** In memory. */
  readonly accounts: number;
  readonly contacts: number;
  /** Rows of touches, facts and scores that checkpoints have stored. */
  readonly rowsStored: number;
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
    rowsStored: value('touchstone_checkpoint_rows_total'),
    cpuSeconds: value('process_cpu_seconds_total'),
    residentBytes: value('process_resident_memory_bytes'),
    externalBytes: value('nodejs_external_memory_bytes'),
    heapUsedBytes: value('nodejs_heap_size_used_bytes'),
  };
}

/** Waits until so many touches have been applied since the server started. */
export function untilApplied(url: string, touches: number): Promise<ServerMetrics> {
  return until(url, `${touches} touches are applied`, ({ touchesApplied }) => touchesApplied >= touches);
}

/** Waits until checkpoints have stored so many rows: a server that is stopped with a large backlog left is ended before it is done. */
export function untilStored(url: string, rows: number): Promise<ServerMetrics> {
  return until(url, `${rows} rows are stored`, ({ rowsStored }) => rowsStored >= rows);
}

async function until(url: string, what: string, isSo: (metrics: ServerMetrics) => boolean): Promise<ServerMetrics> {
  const deadline = performance.now() + WAIT_MS_MAX;
  for (;;) {
    const metrics = await readMetrics(url);
    if (isSo(metrics)) return metrics;
    if (performance.now() > deadline) throw new Error(`after ${WAIT_MS_MAX} ms it is not so that ${what}: ${JSON.stringify(metrics)}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
