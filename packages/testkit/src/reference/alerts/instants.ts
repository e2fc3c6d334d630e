import { MODEL_DEFAULTS } from '../reference-model.ts';
import { RULE_DEFAULTS, type AlertModelDocument } from './rule-document.ts';
import type { AccountAt } from './account-at.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/**
 * Every instant in (from, until] at which time alone may turn something of an account: where a touch comes into a window or leaves it, where its
 * age begins, where it no longer counts as act-now, and between those where points pass a value, found by halving.
 */
export function turningInstants(account: AccountAt, from: number, until: number): number[] {
  const fixed = [...new Set(fixedInstants(account))].filter((at) => at > from && at <= until).sort((one, other) => one - other);
  const instants = new Set(fixed);
  let start = from;
  for (const end of [...fixed, until]) {
    // Of what is fixed nothing changes up to the millisecond before the end.
    const last = end === until && !instants.has(until) ? until : end - 1;
    for (const at of crossings(account, start, last)) instants.add(at);
    start = end;
  }
  return [...instants].sort((one, other) => one - other);
}

function* fixedInstants({ account }: AccountAt): Generator<number> {
  const { model, touches } = account;
  const { qualification, watches = [] } = model;
  const actNowDays = qualification?.actNowDays ?? RULE_DEFAULTS.actNowDays;
  const silentDays = watches.flatMap((watch) => (watch.kind === 'role_silent' ? [watch.days ?? RULE_DEFAULTS.silentDays] : []));
  const days = [0, 7, 28, 30, 90, model.reachWindowDays ?? MODEL_DEFAULTS.reachWindowDays, ...silentDays];
  for (const { occurredAt } of touches) {
    yield occurredAt;
    yield occurredAt + actNowDays * DAY_MS;
    const hour = Math.floor(occurredAt / HOUR_MS);
    yield hour * HOUR_MS;
    yield (hour + 24) * HOUR_MS;
    const day = Math.floor(occurredAt / DAY_MS);
    for (const later of days) yield (day + later) * DAY_MS;
  }
}

/** Where points or score pass a value that a rule names, after `from` and not after `until`: between the two they go one way. */
function* crossings(account: AccountAt, from: number, until: number): Generator<number> {
  if (until <= from) return;
  for (const { level, metric } of levelsOf(account, account.account.model)) {
    const isAbove = (at: number): boolean => account.metric(metric, at) >= level;
    const was = isAbove(from);
    if (isAbove(until) === was) continue;
    let before = from;
    let after = until;
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (isAbove(middle) === was) before = middle;
      else after = middle;
    }
    yield after;
  }
}

function* levelsOf(account: AccountAt, model: AlertModelDocument): Generator<{ metric: string; level: number }> {
  const isOfPoints = ({ metric }: { metric: string }): boolean => metric === 'points' || metric === 'score';
  for (const threshold of (model.thresholds ?? []).filter(isOfPoints)) {
    const { enter, exit } = account.levelOf(threshold);
    yield { metric: threshold.metric, level: enter };
    yield { metric: threshold.metric, level: exit };
  }
  const criteria = [...(model.qualification?.of ?? []), ...(model.stages ?? []).flatMap(({ metrics = [] }) => metrics)];
  for (const criterion of criteria.filter(isOfPoints)) yield { metric: criterion.metric, level: account.levelOfCriterion(criterion) };
}
