import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from './random.ts';
import { pathOf, type ServedAccount } from './served-accounts.ts';
import { KEY } from './start-server.ts';

const POLL_MS = 8;
const ANSWER_WITHIN_MS = 10_000;

export interface AccountWatch {
  /** Answers that were read. */
  readonly answers: number;
  /** What a reader must never see, one line each. */
  readonly wrong: readonly string[];
  finish(): Promise<void>;
}

/** A reader that asks for one account after another, all the time: no version, and no count of touches, may ever go backwards. */
export function watchAccounts(url: string, accountIds: readonly string[], random: Random): AccountWatch {
  const seen = new Map<string, { version: number; touches: number }>();
  const wrong: string[] = [];
  let answers = 0;
  let isFinishing = false;

  async function run(): Promise<void> {
    while (!isFinishing) {
      await look(random.pick(accountIds));
      await sleep(POLL_MS);
    }
  }

  async function look(accountId: string): Promise<void> {
    const account = await read(url, accountId);
    if (account === null) return;
    answers++;
    const { version, windows } = account;
    const touches = windows['90d']!.touches;
    const before = seen.get(accountId);
    if (before !== undefined && version < before.version) wrong.push(`${accountId} went from version ${before.version} to ${version}`);
    if (before !== undefined && touches < before.touches) wrong.push(`${accountId} went from ${before.touches} touches to ${touches}`);
    seen.set(accountId, { version, touches });
  }

  const running = run();
  running.catch(() => {});
  return {
    get answers() {
      return answers;
    },
    wrong,
    async finish() {
      isFinishing = true;
      await running;
    },
  };
}

/** Null while the server is down, not ready, or has not heard of the account. */
async function read(url: string, accountId: string): Promise<ServedAccount | null> {
  let status: number;
  let answer: string;
  try {
    const headers = { authorization: `Bearer ${KEY}` };
    const response = await fetch(url + pathOf(accountId), { headers, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    ({ status } = response);
    answer = await response.text();
  } catch {
    return null;
  }
  if (status === 503 || status === 404) return null;
  if (status !== 200) throw new Error(`GET ${pathOf(accountId)}: ${status} ${answer}`);
  return JSON.parse(answer) as ServedAccount;
}
