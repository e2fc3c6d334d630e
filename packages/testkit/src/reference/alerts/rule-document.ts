import type { ModelDocument, WhereDocument } from '../log-entry.ts';

/** The alert rules of a model as their author writes them: what may be left out has the value that `RULE_DEFAULTS` names. */
export interface AlertModelDocument extends ModelDocument {
  readonly thresholds?: readonly ThresholdDocument[];
  readonly qualification?: QualificationDocument | undefined;
  readonly stages?: readonly StageDocument[];
  readonly surge?: SurgeDocument | undefined;
  readonly watches?: readonly WatchDocument[];
}

export const RULE_DEFAULTS = {
  minContacts: 2,
  actNowDays: 30,
  surge: { metric: 'touches', ratio: 3, minimum: 10, fleetRatio: 1.5, cooldown: '7d' },
  silentDays: 21,
  minTouches: 5,
} as const;

export interface FilterDocument {
  readonly accountId?: string | readonly string[];
  readonly tier?: string | readonly string[];
  readonly industry?: string | readonly string[];
  readonly owner?: string | readonly string[];
  readonly targetList?: boolean;
  readonly employees?: { readonly min?: number; readonly max?: number };
  readonly attributes?: Readonly<Record<string, string | readonly string[]>>;
}

export interface LevelDocument {
  readonly enter: number;
  readonly exit?: number;
}

export interface ThresholdDocument extends LevelDocument {
  readonly id: string;
  readonly metric: string;
  readonly cooldown?: number | string;
  readonly filter?: FilterDocument;
  readonly byTier?: Readonly<Record<string, LevelDocument>>;
}

export interface CriterionDocument {
  readonly id?: string;
  readonly metric: string;
  readonly atLeast: number;
  readonly byTier?: Readonly<Record<string, number>>;
}

export interface QualificationDocument {
  readonly filter?: FilterDocument;
  readonly exclude?: FilterDocument;
  readonly atLeast: number;
  readonly of: readonly CriterionDocument[];
  readonly minContacts?: number;
  readonly actNow?: readonly { readonly kind: string; readonly where?: WhereDocument; readonly minMinutes?: number }[];
  readonly actNowDays?: number;
}

export interface StageDocument {
  readonly id: string;
  readonly engaged?: true;
  readonly qualified?: true;
  readonly opportunity?: 'any' | 'open' | 'won' | 'lost';
  readonly metrics?: readonly CriterionDocument[];
}

export interface SurgeDocument {
  readonly metric?: 'touches' | 'minutes';
  readonly ratio?: number;
  readonly minimum?: number;
  readonly fleetRatio?: number;
  readonly cooldown?: number | string;
  readonly filter?: FilterDocument;
}

export type WatchDocument =
  | { readonly id: string; readonly kind: 'role_silent'; readonly role: string; readonly days?: number; readonly filter?: FilterDocument }
  | { readonly id: string; readonly kind: 'single_threaded'; readonly minTouches?: number; readonly filter?: FilterDocument }
  | { readonly id: string; readonly kind: 'role_engaged'; readonly role: string; readonly filter?: FilterDocument };

/** Seconds, or a number with its unit. */
export function milliseconds(duration: number | string): number {
  if (typeof duration === 'number') return duration * 1000;
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
  return Number.parseInt(duration, 10) * units[duration.slice(-1)]! * 1000;
}
