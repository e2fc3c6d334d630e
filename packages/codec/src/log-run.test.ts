import { defaultModel, RECORD } from '@touchstone/engine';
import { describe, expect, test } from 'vitest';
import { encodeFact } from './fact-record.ts';
import { LogRun, type FramedBlock, type FramedRecords } from './log-run.ts';
import { encodeModelPublished } from './model-record.ts';
import { publishedSchemas } from './schema-set.ts';
import { encodeAccountScore } from './score-record.ts';
import { touchAt, touchLike } from './test-values.ts';
import type { Touch } from './touch.ts';
import { TouchWriter } from './write-touch.ts';

interface Block extends FramedBlock {
  readonly baseOffset: number;
  readonly ends: readonly number[];
}

/** The simplest framing there can be: the ends of the values, -1 for a record without one. */
class Records implements FramedRecords<Block> {
  offset = -1;
  readonly keyStart = -1;
  readonly keyEnd = -1;
  valueStart = -1;
  valueEnd = -1;
  #block: Block = { appendedAt: 0, bytes: new Uint8Array(0), baseOffset: 0, ends: [] };
  #index = -1;
  #at = 0;

  open(block: Block): void {
    this.#block = block;
    this.#index = -1;
    this.#at = 0;
  }

  next(): boolean {
    const end = this.#block.ends[++this.#index];
    if (end === undefined) return false;
    this.offset = this.#block.baseOffset + this.#index;
    this.valueStart = end < 0 ? -1 : this.#at;
    this.valueEnd = end;
    if (end >= 0) this.#at = end;
    return true;
  }
}

function blockOf(baseOffset: number, appendedAt: number, ...values: readonly (Uint8Array | null)[]): Block {
  let at = 0;
  const ends = values.map((value) => (value === null ? -1 : (at += value.length)));
  return { baseOffset, appendedAt, ends, bytes: Buffer.concat(values.filter((value) => value !== null)) };
}

function touchValue(fields: Partial<Touch>): Uint8Array {
  const writer = new TouchWriter();
  writer.write(touchLike(fields));
  return writer.value();
}

const fact = {
  type: 'contact',
  id: 'ada',
  updatedAt: 1,
  accountId: 'acme',
  role: 'champion',
  email: null,
  title: null,
  seniority: null,
  consent: null,
} as const;

describe('the records of the log', () => {
  test('come in order, each as what it is, over several blocks', () => {
    const run = new LogRun(3, new Records());
    const seen: unknown[] = [];
    const blocks = [
      blockOf(40, 1000, touchValue({ id: 'one' }), encodeFact(fact), null),
      blockOf(43, 2000),
      blockOf(43, 3000, encodeModelPublished(defaultModel, 2500), Buffer.from('hello'), touchValue({ id: 'two' })),
    ];
    for (const block of blocks) {
      run.open(block);
      while (run.next()) {
        const { offset, appendedAt, kind } = run;
        seen.push({
          offset,
          appendedAt,
          kind,
          touch: kind === RECORD.touch ? touchAt(run.touch).id : null,
          fact: run.fact,
          model: run.model,
          poison: run.poison?.reason ?? null,
        });
      }
    }
    const none = { touch: null, fact: null, model: null, poison: null };
    expect(run.partition).toBe(3);
    expect(seen).toEqual([
      { ...none, offset: 40, appendedAt: 1000, kind: RECORD.touch, touch: 'one' },
      { ...none, offset: 41, appendedAt: 1000, kind: RECORD.fact, fact },
      { ...none, offset: 42, appendedAt: 1000, kind: RECORD.poison, poison: 'not_single_object' },
      { ...none, offset: 43, appendedAt: 3000, kind: RECORD.model, model: defaultModel },
      { ...none, offset: 44, appendedAt: 3000, kind: RECORD.poison, poison: 'not_single_object' },
      { ...none, offset: 45, appendedAt: 3000, kind: RECORD.touch, touch: 'two' },
    ]);
  });

  test('give the value as it stands, for a dead letter', () => {
    const run = new LogRun(0, new Records());
    run.open(blockOf(0, 0, touchValue({}), Buffer.from('hello'), null));
    const values: string[] = [];
    while (run.next()) values.push(Buffer.from(run.value).toString());
    expect(values).toEqual([Buffer.from(touchValue({})).toString(), 'hello', '']);
  });
});

const modelRecord = publishedSchemas.newest('model-published');
const modelJson = JSON.stringify(defaultModel);

describe('is poison', () => {
  test.each([
    [
      'a score among the events',
      encodeAccountScore({
        accountId: 'a',
        version: 0,
        modelVersion: 'm',
        asOf: 0,
        points: 0,
        score: 0,
        engaged: false,
        contacts: 0,
        lastTouchAt: null,
      }),
      'invalid_value',
      /do not belong among the events/,
    ],
    ['a touch of an empty id', publishedSchemas.newest('touch').encode(touchLike({ id: '' })), 'invalid_value', /^id is empty/],
    ['a touch cut off', touchValue({}).subarray(0, 20), 'malformed', /runs past/],
    ['a fact cut off', encodeFact(fact).subarray(0, 14), 'malformed', /runs past|cut off|no complete/],
    ['a model cut off', encodeModelPublished(defaultModel, 0).subarray(0, 40), 'malformed', /^model runs past/],
    ['a model that is no JSON', modelRecord.encode({ model: '{', version: 'v1', publishedAt: 0 }), 'invalid_model', /^model\./],
    [
      'a model nested without end',
      modelRecord.encode({ model: '['.repeat(100_000), version: 'v1', publishedAt: 0 }),
      'invalid_model',
      /^model\./,
    ],
    [
      'a model without a version',
      modelRecord.encode({ model: '{"rules": []}', version: 'v1', publishedAt: 0 }),
      'invalid_model',
      /^model\.version/,
    ],
    [
      'a model with a field that nobody knows',
      modelRecord.encode({ model: JSON.stringify({ ...defaultModel, extra: 1 }), version: defaultModel.version, publishedAt: 0 }),
      'invalid_model',
      /extra/,
    ],
    [
      'a model under the version of another',
      modelRecord.encode({ model: modelJson, version: 'v2', publishedAt: 0 }),
      'invalid_model',
      /^version is not that of the model/,
    ],
    [
      'a model published before 1970',
      modelRecord.encode({ model: modelJson, version: defaultModel.version, publishedAt: -1 }),
      'invalid_value',
      /^publishedAt/,
    ],
  ])('%s', (_, value, reason, detail) => {
    const run = new LogRun(0, new Records());
    run.open(blockOf(7, 0, value, touchValue({ id: 'after' })));
    expect(run.next()).toBe(true);
    expect(run).toMatchObject({
      kind: RECORD.poison,
      offset: 7,
      fact: null,
      model: null,
      poison: { reason, detail: expect.stringMatching(detail) as string },
    });
    expect(Buffer.from(run.value)).toEqual(Buffer.from(value));
    // The record behind it is read as if nothing had been.
    expect(run.next()).toBe(true);
    expect([run.kind, run.poison, touchAt(run.touch).id]).toEqual([RECORD.touch, null, 'after']);
  });

  test('a message about a model stays short, whatever the model repeats', () => {
    const run = new LogRun(0, new Records());
    const model = JSON.stringify({ ...defaultModel, ['x'.repeat(10_000)]: 1 });
    run.open(blockOf(0, 0, modelRecord.encode({ model, version: defaultModel.version, publishedAt: 0 })));
    run.next();
    expect(run.poison?.detail.length).toBeLessThanOrEqual(300);
  });
});
