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

/** A touch each of so many accounts, numbered as the offsets are. */
export function touchedBlock(partition: number, from: number, count: number): RecordBlock {
  const writer = new TouchWriter();
  const builder = new RecordBlockBuilder();
  for (let i = from; i < from + count; i++) {
    writer.write({ id: `t-${i}`, accountId: `account-${partition}-${i}`, kind: 'meeting', occurredAt: TOUCHED_AT, ...none });
    builder.append(writer.key(), writer.value());
  }
  const bytes = builder.bytes().slice();
  return { partition, baseOffset: from, nextOffset: from + count, count, appendedAt: TOUCHED_AT, bytes };
}

/** Accounts of one partition under the plain model, touched by a live block. */
export function touchedIntake(partition = 0): Intake {
  const ledgers = new PartitionLedgers(partition, plainModel);
  const store = { touchRows: () => ({ count: 0, byteLength: 0, add() {} }) } satisfies Partial<Store>;
  const intake = new Intake({
    run: accountScoring.openRun(partition),
    store,
    ledgers,
    generation: 'g',
    models: [],
    heldUntil: 0,
    modelPublished: plainModel.version,
  });
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
