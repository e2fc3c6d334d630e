/**
 * The reference's input: what stands on the log, as plain objects. Times are epoch milliseconds; a field that is absent is undefined or null.
 */

type Maybe<T> = T | null | undefined;

export interface TouchRecord {
  readonly id: string;
  readonly accountId?: Maybe<string>;
  readonly contactId?: Maybe<string>;
  readonly kind: string;
  readonly occurredAt: number;
  /** 0 to 1440; absent is 0. */
  readonly minutes?: Maybe<number>;
  readonly channel?: Maybe<string>;
  readonly campaignId?: Maybe<string>;
  readonly creativeId?: Maybe<string>;
  readonly url?: Maybe<string>;
  readonly source?: Maybe<string>;
  readonly properties?: Maybe<Readonly<Record<string, string>>>;
}

/** A fact, with the fields that a score, a window or a reach depends on; it may have all the others. */
export interface FactRecord {
  readonly type: 'account' | 'contact' | 'lead' | 'opportunity' | 'spend' | 'subscription';
  readonly id: string;
  readonly updatedAt: number;
  readonly accountId?: Maybe<string>;
  readonly role?: Maybe<string>;
  readonly tier?: Maybe<string>;
  readonly industry?: Maybe<string>;
  readonly owner?: Maybe<string>;
  readonly targetList?: Maybe<boolean>;
  readonly employees?: Maybe<number>;
  readonly attributes?: Maybe<Readonly<Record<string, string>>>;
  readonly outcome?: Maybe<string>;
}

/** A scoring model as its author writes it: what may be left out has the value that `MODEL_DEFAULTS` names. */
export interface ModelDocument {
  readonly version: string;
  readonly decay?: Maybe<{ readonly kind: 'exponential'; readonly halfLifeDays: number }>;
  readonly halfScorePoints?: Maybe<number>;
  readonly rules: readonly RuleDocument[];
  readonly roles?: Maybe<Readonly<Record<string, number>>>;
  readonly wantedRoles?: Maybe<readonly string[]>;
  readonly reachWindowDays?: Maybe<number>;
  readonly retentionDays?: Maybe<number>;
}

export interface RuleDocument {
  readonly id: string;
  readonly kind: string;
  readonly where?: Maybe<WhereDocument>;
  readonly points?: Maybe<number>;
  readonly pointsPerMinute?: Maybe<number>;
  readonly maxMinutes?: Maybe<number>;
  readonly dailyCap?: Maybe<number>;
}

export interface WhereDocument {
  readonly channel?: Maybe<string>;
  readonly campaignId?: Maybe<string>;
  readonly creativeId?: Maybe<string>;
  readonly url?: Maybe<string>;
  readonly source?: Maybe<string>;
  readonly properties?: Maybe<Readonly<Record<string, string>>>;
}

export interface ModelRecord {
  readonly type: 'model';
  readonly model: ModelDocument;
}

/** Time has passed. */
export interface TickRecord {
  readonly type: 'tick';
  readonly tick: { readonly writtenAt: number; readonly fleetGrowth: number | null };
}

export interface LogEntry {
  /** 0 when absent. A model without a partition stands for the control records of all partitions. */
  readonly partition?: number | undefined;
  readonly offset: number;
  readonly appendedAt: number;
  readonly record: TouchRecord | FactRecord | ModelRecord | TickRecord;
}

export function isModel(record: LogEntry['record']): record is ModelRecord {
  return 'type' in record && record.type === 'model';
}

export function isFact(record: LogEntry['record']): record is FactRecord {
  return 'type' in record && record.type !== 'model' && record.type !== 'tick';
}

export function isTick(record: LogEntry['record']): record is TickRecord {
  return 'type' in record && record.type === 'tick';
}
