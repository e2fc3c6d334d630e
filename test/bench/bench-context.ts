import { constants, cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EVENTS_TOPIC } from '@touchstone/event-log';
import { startServer, type Server, type ServerOptions } from '../support/start-server.ts';
import { untilStored } from './load/server-metrics.ts';
import type { Sizes } from './options.ts';
import { runTask } from './start-task.ts';
import type { World } from './workload/traffic.ts';

export const PARTITIONS = 8;
/** Over so many days a backlog came in. */
export const BACKLOG_DAYS = 60;

/** What every bench gets. */
export interface BenchContext {
  readonly sizes: Sizes;
  /** An empty directory, gone when the benches end. */
  makeDirectory(): string;
  /** A data directory whose log holds touches that no server has seen; a copy of its own each time. In the world of `sizes` by default. */
  backlog(touches: number, world?: Omit<World, 'seed'>): Promise<string>;
  /** Removes the log that copies were made of, and a directory that was made. */
  dropBacklog(touches: number, world?: Omit<World, 'seed'>): void;
  dropDirectory(directory: string): void;
  /** A data directory of a server that has stored so many touches and was stopped; the same each time. */
  stored(touches: number): Promise<string>;
  /** The same for so many accounts, each with at least one touch. */
  storedAccounts(world: { readonly accounts: number; readonly contacts: number }, touches: number): Promise<string>;
  /** Keeps what `stored` would otherwise have to make. */
  keepStored(touches: number, data: string): void;
  close(): void;
}

export function createContext(sizes: Sizes): BenchContext {
  const root = mkdtempSync(join(tmpdir(), 'touchstone-bench-'));
  const remove = (): void => rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', remove);
  const storedData = new Map<number, string>();
  const accountData = new Map<number, string>();

  const logOf = (touches: number, { accounts }: Omit<World, 'seed'>): string => join(root, `log-${touches}-${accounts}`);

  async function filledLog(touches: number, { accounts, contacts }: Omit<World, 'seed'>): Promise<string> {
    const directory = logOf(touches, { accounts, contacts });
    if (existsSync(directory)) return directory;
    await runTask('fillLog', {
      directory,
      topic: EVENTS_TOPIC,
      partitions: PARTITIONS,
      touches,
      days: BACKLOG_DAYS,
      accounts,
      contacts,
      seed: touches,
    });
    return directory;
  }

  const context: BenchContext = {
    sizes,
    makeDirectory: () => mkdtempSync(join(root, 'data-')),
    async backlog(touches, world = sizes) {
      const data = context.makeDirectory();
      cpSync(await filledLog(touches, world), join(data, 'log'), { recursive: true, mode: constants.COPYFILE_FICLONE });
      return data;
    },
    dropBacklog: (touches, world = sizes) => context.dropDirectory(logOf(touches, world)),
    dropDirectory: (directory) => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }),
    async stored(touches) {
      const known = storedData.get(touches);
      if (known !== undefined) return known;
      const data = await context.backlog(touches);
      const server = await startBenchServer(data);
      await stopCleanly(server);
      storedData.set(touches, data);
      return data;
    },
    async storedAccounts({ accounts, contacts }, touches) {
      const known = accountData.get(accounts);
      if (known !== undefined) return known;
      const data = context.makeDirectory();
      await runTask('fillLog', {
        directory: join(data, 'log'),
        topic: EVENTS_TOPIC,
        partitions: PARTITIONS,
        touches,
        days: BACKLOG_DAYS,
        accounts,
        contacts,
        seed: accounts,
        isEachTouched: true,
      });
      const server = await startBenchServer(data);
      await untilStored(server.url, touches + accounts);
      await stopCleanly(server);
      accountData.set(accounts, data);
      return data;
    },
    keepStored: (touches, data) => void storedData.set(touches, data),
    close() {
      process.off('exit', remove);
      remove();
    },
  };
  return context;
}

/** Storing a backlog of ten million touches takes longer than a server's usual start. */
const READY_WITHIN_MS = 300_000;

/** A server whose log lines can be read and whose log forgets nothing. */
export function startBenchServer(data: string, options: Pick<ServerOptions, 'env' | 'waitFor' | 'readyWithinMs'> = {}): Promise<Server> {
  return startServer({
    readyWithinMs: READY_WITHIN_MS,
    ...options,
    data,
    env: { LOG_LEVEL: 'info', LOG_RETENTION_HOURS: '87600', PARTITIONS: String(PARTITIONS), ...options.env },
  });
}

/** Stops the server once everything it has applied is stored and committed. */
export async function stopCleanly(server: Server): Promise<void> {
  const code = await server.stop();
  if (code !== 0) throw new Error(`the server ended with code ${code}:\n${server.output().slice(-4000)}`);
}
