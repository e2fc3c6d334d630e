import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EVENTS_TOPIC } from '@touchstone/event-log';
import { startServer, type Server } from '../support/start-server.ts';
import { untilStored } from './load/server-metrics.ts';
import type { Sizes } from './options.ts';
import { runTask } from './start-task.ts';

export const PARTITIONS = 8;
/** Over so many days a backlog came in. */
export const BACKLOG_DAYS = 60;

/** What every bench gets. */
export interface BenchContext {
  readonly sizes: Sizes;
  /** An empty directory, gone when the benches end. */
  makeDirectory(): string;
  /** A data directory whose log holds touches that no server has seen; a copy of its own each time. */
  backlog(touches: number): Promise<string>;
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

  async function filledLog(touches: number): Promise<string> {
    const directory = join(root, `log-${touches}`);
    if (existsSync(directory)) return directory;
    const { accounts, contacts } = sizes;
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
    async backlog(touches) {
      const data = context.makeDirectory();
      cpSync(await filledLog(touches), join(data, 'log'), { recursive: true });
      return data;
    },
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

/** A server whose log lines can be read and whose log forgets nothing. */
export function startBenchServer(data: string): Promise<Server> {
  return startServer({ data, env: { LOG_LEVEL: 'info', LOG_RETENTION_HOURS: '87600', PARTITIONS: String(PARTITIONS) } });
}

/** Stops the server once everything it has applied is stored and committed. */
export async function stopCleanly(server: Server): Promise<void> {
  const code = await server.stop();
  if (code !== 0) throw new Error(`the server ended with code ${code}:\n${server.output().slice(-4000)}`);
}
