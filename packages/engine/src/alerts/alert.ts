/** What an account's crossing, qualification or change of stage is told as. */

export const ALERT_TYPES = [
  'account.threshold.crossed',
  'account.threshold.recovered',
  'account.mqa.entered',
  'account.mqa.exited',
  'account.stage.changed',
  'account.surge.detected',
  'account.coverage.changed',
] as const;
export type AlertType = (typeof ALERT_TYPES)[number];

/** What kind of rule alerts come from: the middle of their type. The store takes it from there too. */
export type RuleFamily = AlertType extends `account.${infer Family}.${string}` ? Family : never;

export function familyOf(type: AlertType): RuleFamily {
  return type.split('.')[1] as RuleFamily;
}

/**
 * What an alert comes from: a touch; time passing, by decay or at the boundary of a window; a contact's role or account; a new scoring model; what
 * the CRM says of the account; what was erased.
 */
export const ALERT_CAUSES = ['touch', 'decay', 'identity', 'model', 'correction', 'erasure'] as const;
export type AlertCause = (typeof ALERT_CAUSES)[number];

/** What a contact adds to the account's points at the instant of the alert. */
export interface AlertReason {
  /** Null for touches of nobody known. */
  readonly contactId: string | null;
  readonly role: string | null;
  readonly points: number;
}

/** The touch that an alert comes from. */
export interface AlertTouch {
  readonly kind: string;
  readonly contactId: string | null;
  readonly campaignId: string | null;
  /** Epoch milliseconds. */
  readonly occurredAt: number;
  /** The model's rules that the touch matches. */
  readonly ruleIds: readonly string[];
}

export interface Alert {
  /** A function of the account, the rule, the episode and the direction: the same whenever and by whomever it is computed. */
  readonly id: string;
  readonly type: AlertType;
  readonly accountId: string;
  readonly partition: number;
  /** Offset of the last touch or fact that the account's ledger holds. */
  readonly version: number;
  readonly modelVersion: string;
  /** Id of the threshold or watch; `qualification`, `stages` or `surge`. */
  readonly ruleId: string;
  /** Counts the account's entries under the rule, from 1; for stages its changes. */
  readonly episode: number;
  readonly direction: 'up' | 'down';
  /** The instant it happened, epoch milliseconds: of the append that caused it, or that of the crossing when time alone did. */
  readonly at: number;
  /** Metric that crossed; null where there is none. */
  readonly metric: string | null;
  /** What it was compared with; null where there is none, as when a threshold ends because the account no longer passes its filter. */
  readonly threshold: number | null;
  readonly previousValue: number | null;
  readonly currentValue: number | null;
  /** Stage before and after; null where it is no matter of stages, or there is none. */
  readonly previousStage: string | null;
  readonly currentStage: string | null;
  readonly cause: AlertCause;
  /** Caused by a touch dated over an hour before its append. */
  readonly late: boolean;
  /** Entries held back by the cooldown since the alert before. */
  readonly heldBack: number;
  /** Owner of the account. */
  readonly owner: string | null;
  readonly engagedContacts: number;
  /** Share of the wanted roles with an engaged contact, 0 to 1; null when none is wanted. */
  readonly coverage: number | null;
  readonly missingRoles: readonly string[];
  /** The contacts that add most, at most three, the first adding most. */
  readonly reasons: readonly AlertReason[];
  readonly touch: AlertTouch | null;
  /** Of a qualification: ids of the criteria that are met; `actNow` where a touch qualifies the account at once. */
  readonly met: readonly string[];
  /** Ids of those that are not; `minContacts`, `filter` or `exclude` where that stands in the way. */
  readonly missing: readonly string[];
}

/** A step of an account under a rule: an alert, or an entry that the cooldown holds back. */
export interface Transition {
  /** Counts the steps of the account under rules of the id, from 1: one of another family with this id counts on. */
  readonly step: number;
  /** Offset of the record whose application it belongs to. */
  readonly offset: number;
  /** Whether it is kept and counted, and not told. */
  readonly isHeld: boolean;
  readonly alert: Alert;
}

/** Where an account stands under a rule after its last step: what stored transitions come to. */
export interface RuleState {
  readonly accountId: string;
  /** A rule of another family that takes up the id is another rule. */
  readonly family: RuleFamily;
  readonly ruleId: string;
  readonly step: number;
  readonly episode: number;
  readonly isIn: boolean;
  /** Whether the entry was held back; its end is not told either. */
  readonly isHeld: boolean;
  /** Instant of the last entry that was told, epoch milliseconds; null for none. */
  readonly lastUpAt: number | null;
  /** Instant of the last step, epoch milliseconds. */
  readonly since: number;
  /** Entries held back since the last alert. */
  readonly heldBack: number;
  /** Of stages: where the account is. */
  readonly stage: string | null;
}
