import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultModel, scoringModelSchema, type ScoringModel } from '@touchstone/engine';
import { openStore, type Store } from '@touchstone/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConstantModel } from './constant-model.ts';
import { APPENDED_FROM, Deals, touchOf } from './test-deals.ts';

const HOUR_MS = 3_600_000;

function modelOf(version: string, touches: number | null): ScoringModel {
  const qualification = { atLeast: 1, of: [{ metric: 'touches.30d', atLeast: touches }], minContacts: 1 };
  return scoringModelSchema.parse({ ...defaultModel, version, ...(touches !== null && { qualification }) });
}

describe('qualifications under one constant model', () => {
  let directory = '';
  let store: Store;
  let now = APPENDED_FROM + HOUR_MS;
  const failures: unknown[] = [];
  const create = (): ConstantModel =>
    new ConstantModel({ store, clock: () => now, pause: () => Promise.resolve(), onFailed: (error) => failures.push(error) });

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'touchstone-constant-'));
    store = await openStore({ kind: 'chdb', directory });
    await store.migrate();
    const at = (hours: number): string => new Date(APPENDED_FROM - hours * HOUR_MS).toISOString();
    await new Deals(store).save([
      touchOf('acme', at(5), { contactId: 'ada' }),
      touchOf('acme', at(4), { contactId: 'bob' }),
      touchOf('blue', at(3), { contactId: 'cy' }),
      touchOf('acme', at(2), { contactId: 'ada' }),
      touchOf('blue', at(1), { contactId: 'cy' }),
    ]);
  });
  afterAll(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });

  it('are those of the stored touches by the model in force, whatever was known then', async () => {
    const constant = create();
    expect(constant.ask(modelOf('two', 2))).toEqual({ qualifications: null, reason: expect.stringContaining('being computed') as string });
    await constant.settled();
    // The second touch of each, when the log took it.
    const expected = [
      { accountId: 'acme', at: APPENDED_FROM + 1 },
      { accountId: 'blue', at: APPENDED_FROM + 4 },
    ];
    expect(constant.ask(modelOf('two', 2))).toEqual({ qualifications: expected, modelVersion: 'two', asOf: now });
    // Another threshold is another past.
    expect(constant.ask(modelOf('three', 3))).toMatchObject({ qualifications: null });
    await constant.settled();
    expect(constant.ask(modelOf('three', 3))).toMatchObject({
      qualifications: [{ accountId: 'acme', at: APPENDED_FROM + 3 }],
      modelVersion: 'three',
    });
    expect(failures).toEqual([]);
  });

  it('are computed anew after an hour, and told as they were until then', async () => {
    const constant = create();
    constant.ask(modelOf('two', 2));
    await constant.settled();
    const before = now;
    now += 2 * HOUR_MS;
    expect(constant.ask(modelOf('two', 2))).toMatchObject({ asOf: before });
    await constant.settled();
    expect(constant.ask(modelOf('two', 2))).toMatchObject({ asOf: now });
  });

  it('are none where the model qualifies nobody', () => {
    expect(create().ask(modelOf('none', null))).toEqual({ qualifications: null, reason: 'the model in force has no qualification' });
  });

  it('are asked for again after a failure', async () => {
    const broken = { positions: () => Promise.reject(new Error('away')), replay: store.replay.bind(store) };
    const told: unknown[] = [];
    const constant = new ConstantModel({
      store: broken,
      clock: () => now,
      pause: () => Promise.resolve(),
      onFailed: (error) => told.push(error),
    });
    for (let times = 1; times <= 2; times++) {
      expect(constant.ask(modelOf('two', 2)).qualifications).toBeNull();
      await constant.settled();
      expect(told).toHaveLength(times);
    }
  });
});
