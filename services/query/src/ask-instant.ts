import type { LedgerPlace } from '@touchstone/engine';
import { ProblemError } from '@touchstone/runtime';
import { timeText } from './answers.ts';
import type { AskedInstant } from './account-pasts.ts';
import type { QueryOptions } from './query-options.ts';

/** @throws ProblemError `not_found` */
export function findAccount({ ledgers }: Pick<QueryOptions, 'ledgers'>, accountId: string): LedgerPlace {
  const place = ledgers.find(accountId);
  if (place === null) throw new ProblemError('not_found', 'no touch or fact has named this account');
  return place;
}

/** The instant of an answer about one account: never before what was applied, when none is asked for. */
export function nowOf({ clock }: Pick<QueryOptions, 'clock'>, { ledgers }: LedgerPlace): number {
  return Math.max(clock(), ledgers.now);
}

/** What is asked, with what is applied of the account at this moment: later records are not looked at. */
export function askInstant(options: Pick<QueryOptions, 'clock' | 'ledgers'>, accountId: string, at: number | undefined): AskedInstant {
  const place = findAccount(options, accountId);
  const now = nowOf(options, place);
  const asOf = at ?? now;
  return { place, accountId, version: place.ledgers.accounts.version[place.account]!, asOf, isPast: asOf < now };
}

export function refuseInstant(parameter: string, detail: string): ProblemError {
  const said = `${parameter} ${detail}`;
  return new ProblemError('invalid_request', said, { errors: [{ in: 'query', pointer: `#/${parameter}`, detail: said }] });
}

export function notKnownYet(parameter: string, firstKnownAt: number | null): ProblemError {
  const since = firstKnownAt === null ? '' : `, ${timeText(firstKnownAt)}`;
  return refuseInstant(parameter, `must not be before anything was known of the account${since}`);
}
