import type { TouchPattern } from './alerts/alert-rules.ts';
import type { Rule, ScoringModel } from './model.ts';
import { FIELD, type TextField, type TouchCursor } from './touch.ts';

/** A rule made ready for the hot loop. */
export interface CompiledRule {
  /** Place in the model's list. */
  readonly index: number;
  readonly points: number;
  readonly pointsPerMinute: number;
  readonly maxMinutes: number;
  /** 0 for none. */
  readonly dailyCap: number;
  /** Null when the rule asks nothing beyond the kind. */
  readonly where: ((touch: TouchCursor) => boolean) | null;
}

export type TouchTest = (touch: TouchCursor) => boolean;

/** Fields of a touch that a ledger may have no use for. */
export type UsedField = 'channel' | 'campaignId' | 'creativeId' | 'url' | 'source' | 'properties';

/** The fields, beyond ids, kind, times and minutes, that ledgers of the model read: a replay may leave out the others. */
export function fieldsUsed(model: ScoringModel): UsedField[] {
  return [...new Set<UsedField>(['campaignId', ...fieldsAsked(model)])];
}

/** Those of them that its rules and its act-now patterns ask for. */
export function fieldsAsked({ qualification, rules }: ScoringModel): UsedField[] {
  const asking = [...rules, ...(qualification?.actNow ?? [])];
  return [...new Set(asking.flatMap(({ where }) => Object.keys(where ?? {}) as UsedField[]))];
}

/** The rules of a model by the kind they match. */
export function compileRules(model: ScoringModel): ReadonlyMap<string, readonly CompiledRule[]> {
  const byKind = new Map<string, CompiledRule[]>();
  for (const [index, rule] of model.rules.entries()) {
    const compiled: CompiledRule = {
      index,
      points: rule.points,
      pointsPerMinute: rule.pointsPerMinute,
      maxMinutes: rule.maxMinutes,
      dailyCap: rule.dailyCap ?? 0,
      where: compileWhere(rule.where),
    };
    const ofKind = byKind.get(rule.kind);
    if (ofKind === undefined) byKind.set(rule.kind, [compiled]);
    else ofKind.push(compiled);
  }
  return byKind;
}

/** The touches that qualify an account at once, by the kind they are of: whether one is such a touch. */
export function compileActNow({ qualification }: ScoringModel): ReadonlyMap<string, (touch: TouchCursor) => boolean> {
  const byKind = Map.groupBy(qualification?.actNow ?? [], ({ kind }) => kind);
  return new Map([...byKind].map(([kind, patterns]) => [kind, anyOf(patterns)]));
}

function anyOf(patterns: readonly TouchPattern[]): TouchTest {
  const tests = patterns.map(({ minMinutes, where }) => ({ minMinutes, where: compileWhere(where) }));
  return (touch) => tests.some(({ minMinutes, where }) => touch.minutes >= minMinutes && (where === null || where(touch)));
}

function compileWhere(where: Rule['where']): TouchTest | null {
  if (where === undefined) return null;
  const tests: TouchTest[] = [];
  for (const [name, pattern] of Object.entries(where)) {
    if (name === 'properties' || typeof pattern !== 'string') continue;
    const field = FIELD[name as TextField];
    const matches = compileGlob(pattern);
    tests.push((touch) => {
      const text = touch.text(field);
      return text !== null && matches(text);
    });
  }
  for (const [name, pattern] of Object.entries(where.properties ?? {})) {
    const matches = compileGlob(pattern);
    tests.push((touch) => {
      const value = touch.property(name);
      return value !== null && matches(value);
    });
  }
  return tests.length === 0 ? null : (touch) => tests.every((test) => test(touch));
}

/** A pattern in which `*` stands for any run of characters. Greedy from the left, so the time is bounded by pattern times text. */
export function compileGlob(pattern: string): (text: string) => boolean {
  const parts = pattern.split('*');
  const [head, ...rest] = parts as [string, ...string[]];
  const tail = rest.pop();
  if (tail === undefined) return (text) => text === pattern;
  return (text) => {
    if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
    let at = head.length;
    const end = text.length - tail.length;
    for (const part of rest) {
      const found = text.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}
