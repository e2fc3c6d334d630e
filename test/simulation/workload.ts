import { encodeFact, encodeModelPublished, TouchWriter } from '@touchstone/codec';
import { accountOf, defaultModel, type ScoringModel } from '@touchstone/engine';
import type { OutgoingRecord } from '@touchstone/event-log';
import { hostileHistory, type GeneratedEntry } from '@touchstone/testkit';
import { createRandom, type Random } from '../support/random.ts';
import type { SimulationOptions } from './options.ts';
import { plainEntries } from './plain-traffic.ts';
import { poisonRecord } from './poison-records.ts';

/** A record for the log, with what it says: null when it says nothing, because it is poison. */
export interface WorkRecord extends OutgoingRecord {
  readonly entry: GeneratedEntry['record'] | null;
}

/** One append: at so many milliseconds of virtual time, dated as the log's clock stands then. */
export interface Work {
  readonly at: number;
  readonly appendedAt: number;
  readonly records: readonly WorkRecord[];
}

/** What is appended and when, relative to each other; the same records can go into logs of any number of partitions. */
interface Passage {
  readonly appendedAt: number;
  readonly records: readonly WorkRecord[];
}

const WORK_BEGINS_AT = Date.UTC(2026, 4, 6, 7);
const HISTORIES = 40;
const BATCH_MAX = 25;
const encoder = new TextEncoder();

/** Everything that producers append in a run, in order. */
export function makeWork(options: SimulationOptions, random: Random): Work[] {
  const passages = options.isHostile ? hostilePassages(options, random) : plainPassages(options, random);
  const modelsAt = new Set(Array.from({ length: options.models }, () => random.whole(0, passages.length - 1)));
  const work: Work[] = [];
  let at = 0;
  const step = (options.faultsMs * 0.95) / passages.length;
  for (const [index, { appendedAt, records }] of passages.entries()) {
    at += step * 2 * random();
    const withPoison = records.flatMap((record) => (random.chance(options.poisonRate) ? [record, poisonRecord(random)] : [record]));
    work.push({ at, appendedAt, records: withPoison });
    if (modelsAt.has(index)) work.push({ at, appendedAt, records: modelRecords(variant(random, index), options.partitions, appendedAt) });
  }
  return work;
}

/** The entries of one time of append make a batch, larger ones several. */
function passagesOf(entries: readonly GeneratedEntry[], random: Random): Passage[] {
  const writer = new TouchWriter();
  const passages: { appendedAt: number; records: WorkRecord[] }[] = [];
  let batchMax = 0;
  for (const { appendedAt, record } of entries) {
    if ('type' in record && (record.type === 'model' || record.type === 'tick')) continue;
    const last = passages.at(-1);
    if (last === undefined || last.appendedAt !== appendedAt || last.records.length >= batchMax) {
      batchMax = random.whole(1, BATCH_MAX);
      passages.push({ appendedAt, records: [workRecord(record, writer)] });
    } else last.records.push(workRecord(record, writer));
  }
  return passages;
}

function workRecord(entry: Exclude<GeneratedEntry['record'], { type: 'model' | 'tick' }>, writer: TouchWriter): WorkRecord {
  if ('type' in entry) return { key: encoder.encode(accountOf(entry) ?? entry.id), value: encodeFact(entry), entry };
  writer.write(entry);
  return { key: writer.key(), value: writer.value(), entry };
}

function modelRecords(model: ScoringModel, partitions: number, at: number): WorkRecord[] {
  const value = encodeModelPublished(model, at);
  return Array.from({ length: partitions }, (_, partition) => ({ key: null, value, partition, entry: { type: 'model', model } }));
}

/** A model that gives other scores. */
function variant(random: Random, index: number): ScoringModel {
  const rules = defaultModel.rules.filter(() => random.chance(0.7)).map((rule) => ({ ...rule, points: rule.points + random.whole(0, 5) }));
  return {
    ...defaultModel,
    version: `variant-${index}-${random.whole(0, 99)}`,
    decay: { kind: 'exponential', halfLifeDays: random.pick([1, 7, 90]) },
    rules,
    roles: { ...defaultModel.roles, champion: random.pick([0.5, 2]) },
  };
}

/** Hostile histories are dear to generate, so a few are kept and shared by many seeds. */
const histories = new Map<string, readonly Passage[]>();

function hostilePassages({ hasRules, records }: SimulationOptions, random: Random): readonly Passage[] {
  const number = random.whole(0, HISTORIES - 1);
  const steps = records > 500 ? 800 : 250;
  const key = `${number} ${steps} ${hasRules}`;
  const known =
    histories.get(key) ??
    passagesOf(
      hostileHistory(number, { steps: { min: steps, max: steps }, datedAhead: true, alerts: hasRules }).entries,
      createRandom(number),
    );
  histories.set(key, known);
  return known;
}

function plainPassages(options: SimulationOptions, random: Random): readonly Passage[] {
  return passagesOf(plainEntries(options, random, WORK_BEGINS_AT), random);
}
