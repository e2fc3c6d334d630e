/**
 * The version of touch.avsc that read-touch.ts and write-touch.ts know by heart. It is what is written; records of every other version are
 * rewritten as this one when they are read.
 */
export const TOUCH_VERSION = 1;

/** A touch that has passed validation. */
export interface Touch {
  readonly id: string;
  readonly accountId: string | null;
  readonly contactId: string | null;
  readonly kind: string;
  /** Epoch milliseconds. */
  readonly occurredAt: number;
  readonly minutes: number;
  readonly channel: string | null;
  readonly campaignId: string | null;
  readonly creativeId: string | null;
  readonly url: string | null;
  readonly source: string | null;
  readonly properties: Readonly<Record<string, string>>;
}
