import { FIELD, RECORD } from '@touchstone/engine';
import type { RecordRun, TextField, Transition } from '@touchstone/engine';
import { EntryRun } from '@touchstone/testkit';
import type { GeneratedEntry, GeneratedTouch } from '@touchstone/testkit';
import type { Checkpoint, DeadLetter, Store, StoredFact } from './store.ts';

/** Log records as plain objects: into a checkpoint, and back out of a replay. */
export const GENERATION = 'topic-1';

export const PLAIN_TOUCH: GeneratedTouch = {
  id: 't',
  accountId: 'acme.example',
  contactId: null,
  kind: 'web_visit',
  occurredAt: Date.UTC(2026, 4, 6, 7, 8, 9, 10),
  minutes: 0,
  channel: null,
  campaignId: null,
  creativeId: null,
  url: null,
  source: null,
  properties: {},
};

export const APPENDED_AT = Date.UTC(2026, 4, 6, 7, 8, 10);

export function touchAt(offset: number, changes: Partial<GeneratedTouch> = {}, partition = 0): GeneratedEntry {
  return { partition, offset, appendedAt: APPENDED_AT + offset, record: { ...PLAIN_TOUCH, id: `t${offset}`, ...changes } };
}

export function leadAt(offset: number, id = `lead${offset}`, partition = 0): GeneratedEntry {
  const unsaid = { accountId: null, contactId: null, status: null, source: null, campaignId: null, createdAt: null, qualifiedAt: null };
  return { partition, offset, appendedAt: APPENDED_AT + offset, record: { type: 'lead', id, updatedAt: APPENDED_AT, ...unsaid } };
}

/** A checkpoint of one partition's records, ordered by offset, with the position behind the last of them unless another is given. */
export function checkpointOf(
  store: Store,
  entries: readonly GeneratedEntry[],
  rest: {
    partition?: number;
    offset?: number;
    generation?: string;
    deadLetters?: readonly DeadLetter[];
    transitions?: readonly Transition[];
  } = {},
): Checkpoint {
  const partition = rest.partition ?? entries[0]?.partition ?? 0;
  const touches = store.touchRows(partition);
  const facts: StoredFact[] = [];
  const run = new EntryRun(partition, entries);
  while (run.next()) {
    const { offset, appendedAt } = run;
    if (run.kind === RECORD.touch) touches.add(offset, appendedAt, run.touch);
    else facts.push({ partition, offset, appendedAt, fact: run.fact ?? { type: 'model', model: run.model! } });
  }
  return {
    partition,
    offset: (entries.at(-1)?.offset ?? -1) + 1,
    generation: GENERATION,
    deadLetters: [],
    transitions: [],
    ...rest,
    touches,
    facts,
  };
}

/** The record a run stands on. */
export function entryOf(run: RecordRun): GeneratedEntry {
  const { partition, offset, appendedAt } = run;
  const record = run.kind === RECORD.touch ? touchOf(run) : (run.fact ?? { type: 'model' as const, model: run.model! });
  return { partition, offset, appendedAt, record };
}

function touchOf({ touch }: RecordRun): GeneratedTouch {
  const texts = Object.fromEntries(Object.entries(FIELD).map(([name, field]) => [name, touch.text(field)])) as Record<
    TextField,
    string | null
  >;
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const text = (from: number, to: number) => decoder.decode(touch.bytes.subarray(from, to));
  const properties = Array.from({ length: touch.propertyCount }, (_, index) => {
    const [keyStart, keyEnd, valueStart, valueEnd] = touch.properties.subarray(index * 4, index * 4 + 4);
    return [text(keyStart!, keyEnd!), text(valueStart!, valueEnd!)] as const;
  });
  return {
    ...texts,
    id: texts.id!,
    kind: texts.kind!,
    occurredAt: touch.occurredAt,
    minutes: touch.minutes,
    properties: Object.fromEntries(properties),
  };
}

export async function entriesOf(runs: AsyncIterable<RecordRun>): Promise<GeneratedEntry[]> {
  const entries: GeneratedEntry[] = [];
  for await (const run of runs) while (run.next()) entries.push(entryOf(run));
  return entries;
}

export const offsetsOf = (entries: readonly { readonly offset: number }[]): number[] => entries.map(({ offset }) => offset);
