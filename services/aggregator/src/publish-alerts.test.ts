import { decodeAlert, isPoison } from '@touchstone/codec';
import { defaultModel, PartitionLedgers, type Transition } from '@touchstone/engine';
import type { OutgoingRecord, RecordBlock } from '@touchstone/event-log';
import { createMetrics } from '@touchstone/runtime';
import { StoreError, type Store } from '@touchstone/store';
import { describe, expect, it } from 'vitest';
import { Intake } from './intake.ts';
import { AlertPublisher } from './publish-alerts.ts';
import { accountScoring } from './scoring-job.ts';
import { FakeAlerts, transitionOf } from './test-alerts.ts';

const NOTHING: RecordBlock = { partition: 0, baseOffset: 0, nextOffset: 0, count: 0, appendedAt: 0, bytes: new Uint8Array(0) };
const FAILURE = new StoreError('unavailable', 'made to fail');

function idOf({ value }: OutgoingRecord): string {
  const alert = decodeAlert(value!, 0, value!.length);
  if (isPoison(alert)) throw new Error(alert.detail);
  return alert.id;
}

/** A publisher over so many partitions, with the ids it has told, by partition and append. */
function publisherOf(partitions: number, stored: readonly Transition[] = []) {
  const told: string[][] = [];
  const world = { failures: 0, whenTold: () => {}, mayTell: (_partition: number) => true };
  const store = {
    touchRows: () => ({ count: 0, byteLength: 0, add() {} }),
    async *transitions(_partition: number, from: number, before: number) {
      const wanted = stored.filter(({ offset }) => offset >= from && offset < before);
      for (let at = 0; at < wanted.length; at += 2) yield wanted.slice(at, at + 2);
    },
  } satisfies Partial<Store>;
  const intakes = Array.from({ length: partitions }, (_, partition) => {
    const ledgers = Object.assign(new PartitionLedgers(partition, defaultModel), { alerts: new FakeAlerts() });
    const intake = new Intake({
      run: accountScoring.openRun(partition),
      store,
      ledgers,
      generation: 'g',
      models: [],
      heldUntil: 0,
      modelPublished: defaultModel.version,
    });
    const happen = (...transitions: readonly Transition[]): void => {
      ledgers.alerts.happen(...transitions);
      intake.apply({ ...NOTHING, partition });
    };
    return { intake, happen };
  });
  const publisher = new AlertPublisher({
    intakes: () => intakes.map(({ intake }) => intake),
    log: {
      async append(topic, records) {
        if (world.failures-- > 0) throw FAILURE;
        world.whenTold();
        told.push([`${topic} ${records[0]!.partition}`, ...records.map(idOf)]);
      },
    },
    store,
    metrics: createMetrics({ ofProcess: false }),
    mayTell: (partition) => world.mayTell(partition),
  });
  return { intakes, publisher, told, world };
}

const step = (number: number, isHeld = false): Transition =>
  transitionOf({ step: number, offset: number, isHeld, alert: { id: `${number}` } });

describe('alerts', () => {
  it('are told once, in order, to the partition of their account; what is held back is not', async () => {
    const { intakes, publisher, told } = publisherOf(2);
    intakes[0]!.happen(step(1), step(2, true), step(3));
    intakes[1]!.happen(step(4));
    expect(intakes[0]!.intake.untold.byteLength).toBeGreaterThan(1000);
    expect(await publisher.publish()).toEqual(new Set([0, 1]));
    expect(await publisher.publish()).toEqual(new Set([0, 1]));
    expect(told).toEqual([
      ['alerts 0', '1', '3'],
      ['alerts 1', '4'],
    ]);
    expect(intakes[0]!.intake.untold.byteLength).toBe(0);
  });

  it('that fail to be told are kept, and told before those that came after', async () => {
    const { intakes, publisher, told, world } = publisherOf(1);
    intakes[0]!.happen(step(1), step(2));
    world.failures = 1;
    await expect(publisher.publish()).rejects.toBe(FAILURE);
    intakes[0]!.happen(step(3));
    await publisher.publish();
    expect(told).toEqual([['alerts 0', '1', '2', '3']]);
  });

  it('wait while the partition is not ours, and others do not', async () => {
    const { intakes, publisher, told, world } = publisherOf(2);
    for (const { happen } of intakes) happen(step(1));
    world.mayTell = (partition) => partition === 1;
    expect(await publisher.publish()).toEqual(new Set([1]));
    world.mayTell = () => true;
    expect(await publisher.publish()).toEqual(new Set([0, 1]));
    expect(told).toEqual([
      ['alerts 1', '1'],
      ['alerts 0', '1'],
    ]);
  });

  it('that happen during a publication are for the next', async () => {
    const { intakes, publisher, told, world } = publisherOf(1);
    intakes[0]!.happen(step(1));
    world.whenTold = () => {
      world.whenTold = () => {};
      intakes[0]!.happen(step(2));
    };
    await publisher.publish();
    expect(told).toEqual([['alerts 0', '1']]);
    await publisher.publish();
    expect(told.at(-1)).toEqual(['alerts 0', '2']);
  });

  it('told by another meanwhile are forgotten, and nothing more than these', async () => {
    const { intakes, publisher, told, world } = publisherOf(1);
    const { happen, intake } = intakes[0]!;
    happen(step(1), step(2));
    // While they are on their way the partition goes and comes back.
    world.whenTold = () => {
      world.whenTold = () => {};
      intake.untold.forgetBelow(3);
      happen(step(3), step(4));
    };
    await publisher.publish();
    await publisher.publish();
    expect(told).toEqual([
      ['alerts 0', '1', '2'],
      ['alerts 0', '3', '4'],
    ]);
  });

  it('that a former life may not have told come from the store, first, and after a failure from where it was', async () => {
    const { intakes, publisher, told, world } = publisherOf(1, [step(1), step(2), step(3), step(4, true), step(5), step(6)]);
    const { happen, intake } = intakes[0]!;
    intake.untold.stored = { from: 2, before: 6 };
    happen(step(9));
    world.whenTold = () => {
      world.failures = 1;
      world.whenTold = () => {};
    };
    await expect(publisher.publish()).rejects.toBe(FAILURE);
    expect(told).toEqual([['alerts 0', '2', '3']]);
    await publisher.publish();
    await publisher.publish();
    expect(told.slice(1)).toEqual([
      ['alerts 0', '3'],
      ['alerts 0', '5'],
      ['alerts 0', '9'],
    ]);
  });
});
