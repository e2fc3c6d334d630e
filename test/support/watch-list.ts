import { setTimeout as sleep } from 'node:timers/promises';
import type { ListedAccount } from './served-accounts.ts';
import { KEY } from './start-server.ts';

const POLL_MS = 5;
const ANSWER_WITHIN_MS = 10_000;

export interface ListWatch {
  /** Pages that were read and had rows. */
  readonly pages: number;
  /** Model versions in the order in which they were first seen after another one. */
  readonly modelVersions: readonly string[];
  /** Pages whose rows were not all of one model version, one line each. */
  readonly mixed: readonly string[];
  finish(): Promise<void>;
}

/** A reader of the list of accounts, all the time: every page must be of one model version. */
export function watchList(url: string): ListWatch {
  const modelVersions: string[] = [];
  const mixed: string[] = [];
  let pages = 0;
  let isFinishing = false;

  async function run(): Promise<void> {
    while (!isFinishing) {
      look(await read(url));
      await sleep(POLL_MS);
    }
  }

  function look(rows: readonly ListedAccount[]): void {
    const versions = [...new Set(rows.map(({ modelVersion }) => modelVersion))];
    if (versions.length === 0) return;
    pages++;
    if (versions.length > 1) mixed.push(`a page of ${rows.length} accounts has ${versions.join(' and ')}`);
    if (versions[0] !== modelVersions.at(-1)) modelVersions.push(versions[0]!);
  }

  const running = run();
  running.catch(() => {});
  return {
    get pages() {
      return pages;
    },
    modelVersions,
    mixed,
    async finish() {
      isFinishing = true;
      await running;
    },
  };
}

/** Empty while the server is down or not ready. */
async function read(url: string): Promise<readonly ListedAccount[]> {
  let status: number;
  let answer: string;
  try {
    const headers = { authorization: `Bearer ${KEY}` };
    const response = await fetch(`${url}/v1/accounts?limit=500`, { headers, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    ({ status } = response);
    answer = await response.text();
  } catch {
    return [];
  }
  if (status === 503) return [];
  if (status !== 200) throw new Error(`GET /v1/accounts: ${status} ${answer}`);
  return (JSON.parse(answer) as { data: ListedAccount[] }).data;
}
