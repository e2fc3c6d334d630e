import { createLogger, type Logger, type LogLevel } from './logger.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createShutdown, type Shutdown } from './shutdown.ts';

/** What every service's process has, from its first moment on. */
export interface ServiceProcess {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly shutdown: Shutdown;
  /** A part that the others count on can't go on. What is durable stays so; a new start recovers the rest. */
  leave(cause: unknown): void;
}

/** Runs a service in this process: `start` puts its parts together. When that fails, the process says why and ends with exit code 1. */
export async function startProcess(
  { level, service }: { readonly level: LogLevel; readonly service: string },
  start: (process: ServiceProcess) => Promise<void>,
): Promise<void> {
  const logger = createLogger({ service, level });
  let hasFailed = false;
  // Whoever started this process must see by its exit code that the start failed, however well the rest was put away.
  const shutdown = createShutdown({ logger, exit: (code) => process.exit(hasFailed ? 1 : code) });
  shutdown.listen();

  function leave(cause: unknown): void {
    tell(logger, cause, 'can not go on');
    process.exit(1);
  }

  try {
    await start({ logger, metrics: createMetrics(), shutdown, leave });
  } catch (cause) {
    // A signal in the midst of the start closes what the start still works with: that it fails then is no news.
    if (!shutdown.draining) {
      hasFailed = true;
      tell(logger, cause, 'could not start');
    }
    await shutdown.stop('the start failed');
  }
}

/** Expected reasons have a code and say what to do in one line; anything else needs its stack. */
function tell(logger: Logger, cause: unknown, what: string): void {
  if (cause instanceof RangeError || (cause instanceof Error && 'code' in cause)) {
    logger.fatal({ code: (cause as { code?: unknown }).code }, `${what}: ${cause.message}`);
  } else logger.fatal({ err: cause }, what);
}
