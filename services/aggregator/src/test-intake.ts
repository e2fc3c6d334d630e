import { TouchWriter } from '@touchstone/codec';
import { PartitionLedgers, scoringModelSchema, type ScoringModel } from '@touchstone/engine';
import { RecordBlockBuilder, type RecordBlock } from '@touchstone/event-log';
import type { Store } from '@touchstone/store';
import { Intake } from './intake.ts';
import { accountScoring } from './scoring-job.ts';

/** When each account was touched, once. */
export const TOUCHED_AT = Date.UTC(2026, 5, 1);
export const ACCOUNTS = 1000;
const plainModel = scoringModelSchema.parse({ version: 'plain', rules: [] });
/** Under it all of them are in as soon as somebody looks. */
export const seenModel: ScoringModel = scoringModelSchema.parse({
  version: 'seen',
  rules: [],
  thresholds: [{ id: 'seen', metric: 'touches.24h', enter: 1 }],
});

const none = { contactId: null, channel: null, campaignId: null, creativeId: null, url: null, source: null, minutes: 0, properties: {} };

export interface TestTouch {
  readonly id: string;
  readonly accountId: string;
  /** Default: `TOUCHED_AT`. */
  readonly occurredAt?: number;
  readonly url?: string;
}

/** Meetings, one a record. */
export function blockOfTouches(partition: number, from: number, touches: readonly TestTouch[]): RecordBlock {
  const writer = new TouchWriter();
  const builder = new RecordBlockBuilder();
  for (const touch of touches) {
    writer.write({ ...none, kind: 'meeting', occurredAt: TOUCHED_AT, ...touch });
    builder.append(writer.key(), writer.value());
  }
  const count = touches.length;
  return { partition, baseOffset: from, nextOffset: from + count, count, appendedAt: TOUCHED_AT, bytes: builder.bytes().slice() };
}

/** A touch each of so many accounts, numbered as the offsets are. */
export function touchedBlock(partition: number, from: number, count: number): RecordBlock {
  const touches = Array.from({ length: count }, (_, i) => ({ id: `t-${from + i}`, accountId: `account-${partition}-${from + i}` }));
  return blockOfTouches(partition, from, touches);
}

/** A partition that nothing has come to. */
export function emptyIntake(partition = 0, model = plainModel): Intake {
  const ledgers = new PartitionLedgers(partition, model);
  const store = { touchRows: () => ({ count: 0, byteLength: 0, add() {} }) } satisfies Partial<Store>;
  return new Intake({
    run: accountScoring.openRun(partition),
    store,
    ledgers,
    generation: 'g',
    models: [],
    heldUntil: 0,
    modelPublished: model.version,
  });
}

/** Accounts of one partition under the plain model, touched by a live block. */
export function touchedIntake(partition = 0): Intake {
  const intake = emptyIntake(partition);
  intake.apply(touchedBlock(partition, 0, ACCOUNTS));
  return intake;
}

/** As after a takeover by the other model, whose looks are all owed. */
export function owingIntake(): Intake {
  const intake = touchedIntake();
  intake.ledgers.model = seenModel;
  intake.ledgers.alerts.changeRules();
  return intake;
}
