import type { Server } from './start-server.ts';

/** A metric of the server by its name and labels, as it is written in the answer; 0 while it is not there. */
export async function metricOf(server: Server, series: string): Promise<number> {
  const metrics = await (await server.fetch('/metrics')).text();
  const line = metrics.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}

/** How often what was applied has become durable in the store, by this process. */
export function checkpointsOf(server: Server): Promise<number> {
  return metricOf(server, 'touchstone_checkpoint_seconds_count');
}
