import type { Logger } from './logger.ts';

export interface ShutdownOptions {
  readonly logger: Logger;
  /** All steps together may take this long; then the process leaves, with exit code 1. */
  readonly deadlineMs?: number;
  /** Leaves the process; replaced in tests. */
  readonly exit?: (code: number) => void;
}

export interface Shutdown {
  /** True from the first signal on. */
  readonly draining: boolean;
  /** What to do on the way out. Steps run one after another, the one added last first: whatever was opened later is closed earlier. */
  add(name: string, step: () => Promise<void> | void): void;
  /** Stops as a signal would; resolves when every step is done. */
  stop(reason: string): Promise<void>;
  /** Takes over SIGTERM, SIGINT and errors that nobody caught. */
  listen(): void;
}

const DEADLINE_MS = 10_000;
/** A shell's code for a program ended by SIGINT: 128 and the signal's number. */
const INTERRUPTED = 130;

/**
 *   serving --signal--> draining: steps, newest first --all done--> exit 0
 *                          |--second signal--> exit 130
 *                          |--deadline, or a step failed--> exit 1
 *   any --error nobody caught--> exit 1 at once: state may be wrong, and what is durable is not touched by leaving
 */
export function createShutdown(options: ShutdownOptions): Shutdown {
  const { logger, deadlineMs = DEADLINE_MS, exit = (code) => process.exit(code) } = options;
  const steps: { readonly name: string; readonly step: () => Promise<void> | void }[] = [];
  let stopping: Promise<void> | null = null;
  let current = '';

  async function runSteps(reason: string): Promise<void> {
    logger.info({ reason }, 'stopping');
    const deadline = setTimeout(() => {
      logger.error({ step: current, deadlineMs }, 'stopping took too long');
      exit(1);
    }, deadlineMs);
    let failed = false;
    for (const { name, step } of steps.toReversed()) {
      current = name;
      try {
        await step();
      } catch (err) {
        failed = true;
        logger.error({ err, step: name }, 'a step of stopping failed; the others go on');
      }
    }
    clearTimeout(deadline);
    logger.info('stopped');
    exit(failed ? 1 : 0);
  }

  function onSignal(signal: NodeJS.Signals): void {
    if (stopping) {
      logger.warn({ signal, step: current }, 'a second signal: leaving at once');
      exit(INTERRUPTED);
      return;
    }
    stopping = runSteps(signal);
  }

  function onFault(err: unknown, origin: string): void {
    logger.fatal({ err, origin }, 'an error that nobody caught');
    exit(1);
  }

  return {
    get draining() {
      return stopping !== null;
    },
    add(name, step) {
      steps.push({ name, step });
    },
    stop(reason) {
      stopping ??= runSteps(reason);
      return stopping;
    },
    listen() {
      process.on('SIGTERM', onSignal);
      process.on('SIGINT', onSignal);
      process.on('uncaughtException', onFault);
      process.on('unhandledRejection', (cause) => onFault(cause, 'unhandledRejection'));
    },
  };
}
