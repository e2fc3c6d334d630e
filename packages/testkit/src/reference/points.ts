import type { ModelDocument, RuleDocument, TouchRecord, WhereDocument } from './log-entry.ts';
import type { AccountHistory } from './read-log.ts';
import { MODEL_DEFAULTS } from './reference-model.ts';

const DAY_MS = 86_400_000;

/** Points nearer to 0 than this are none. */
const POINTS_LEAST = 2 ** -200;

/** What a sum of decayed worths comes to: 0 where next to nothing is left. */
export function pointsLeft(sum: number): number {
  return Math.abs(sum) < POINTS_LEAST ? 0 : sum;
}

/**
 * Sum over the counted touches of multiplier x worth x 2^(-age / half-life) at `asOf`; 0 when next to nothing is left. A touch dated after `asOf`
 * has age 0.
 */
export function pointsAt(history: AccountHistory, asOf: number): number {
  const halfLifeMs = (history.model.decay?.halfLifeDays ?? MODEL_DEFAULTS.halfLifeDays) * DAY_MS;
  const worths = worthOfTouches(history.touches, history.model.rules);
  let points = 0;
  for (const [index, touch] of history.touches.entries()) {
    const ageMs = Math.max(0, asOf - touch.occurredAt);
    points += multiplierOf(history, touch.contactId ?? null) * worths[index]! * 2 ** (-ageMs / halfLifeMs);
  }
  return pointsLeft(points);
}

/**
 * 100 x (1 - 2^(-points / halfScorePoints)), by expm1: taken literally, the subtraction leaves few or no right digits of a small score (an ad
 * seen a year ago is worth about 1e-9 points).
 */
export function scoreOf(points: number, model: ModelDocument): number {
  // A score is 0 to 100: an account whose touches are worth less than nothing is at 0.
  if (points <= 0) return 0;
  return -100 * Math.expm1((-points / (model.halfScorePoints ?? MODEL_DEFAULTS.halfScorePoints)) * Math.LN2);
}

/** The role a contact has now, whenever its touches were: the newest fact says it, and of two with one updatedAt the later on the log. */
export function roleOf(history: AccountHistory, contactId: string): string | null {
  let newest: AccountHistory['contactFacts'][number] | null = null;
  for (const fact of history.contactFacts) {
    if (fact.id === contactId && (newest === null || fact.updatedAt >= newest.updatedAt)) newest = fact;
  }
  return newest?.role ?? null;
}

export function multiplierOf(history: AccountHistory, contactId: string | null): number {
  const role = contactId === null ? null : roleOf(history, contactId);
  const roles = history.model.roles ?? {};
  return role !== null && Object.hasOwn(roles, role) ? roles[role]! : 1;
}

/** What each touch is worth before multiplier and decay, in the order given, which is that of the log. */
export function worthOfTouches(touches: readonly TouchRecord[], rules: readonly RuleDocument[]): number[] {
  /** Matching touches so far, by rule, contact (null: all touches of nobody known share one count) and UTC day. */
  const matched = new Map<string, number>();
  return touches.map((touch) => {
    let worth = 0;
    for (const [ruleIndex, rule] of rules.entries()) {
      if (!matches(rule, touch)) continue;
      // Only the first dailyCap touches of the day in log order get the rule's worth; one that gives nothing (0 minutes) uses up one too.
      const key = JSON.stringify([ruleIndex, touch.contactId ?? null, Math.floor(touch.occurredAt / DAY_MS)]);
      const before = matched.get(key) ?? 0;
      matched.set(key, before + 1);
      if (before >= (rule.dailyCap ?? Infinity)) continue;
      const minutes = Math.min(touch.minutes ?? 0, rule.maxMinutes ?? MODEL_DEFAULTS.maxMinutes);
      worth += (rule.points ?? MODEL_DEFAULTS.points) + (rule.pointsPerMinute ?? MODEL_DEFAULTS.pointsPerMinute) * minutes;
    }
    return worth;
  });
}

export function matches(rule: Pick<RuleDocument, 'kind' | 'where'>, touch: TouchRecord): boolean {
  return rule.kind === touch.kind && satisfies(rule.where ?? {}, touch);
}

/** Every pattern given must match; a touch without the field does not. */
function satisfies(where: WhereDocument, touch: TouchRecord): boolean {
  for (const field of ['channel', 'campaignId', 'creativeId', 'url', 'source'] as const) {
    if (!patternAllows(where[field], touch[field])) return false;
  }
  const properties = touch.properties ?? {};
  for (const [name, pattern] of Object.entries(where.properties ?? {})) {
    if (!patternAllows(pattern, Object.hasOwn(properties, name) ? properties[name] : null)) return false;
  }
  return true;
}

function patternAllows(pattern: string | null | undefined, value: string | null | undefined): boolean {
  if (pattern === undefined || pattern === null) return true;
  return value !== undefined && value !== null && globMatches(pattern, value);
}

/** `*` stands for any run of characters, also none; everything else for itself, case included. */
export function globMatches(pattern: string, text: string): boolean {
  const [first, ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === text;
  if (!text.startsWith(first!)) return false;
  let at = first!.length;
  const last = rest.pop()!;
  // The earliest place for each part leaves the most room for those after it.
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
