import { decodeUtf8, type Poison } from '@touchstone/engine';
import { AvroInput } from './avro-input.ts';
import { BYTES_PER_UNIT, writeLong, writeText } from './avro-output.ts';
import { problemOfIdentity } from './check-fact.ts';
import { ID_BYTES_MAX, TIME_MAX } from './limits.ts';
import { isPoison, poison } from './poison.ts';
import { HEADER_BYTES } from './record-schema.ts';
import { publishedSchemas } from './schema-set.ts';
import { isUtf8 } from './utf8.ts';

/** The score of an account as published. Of two, the higher version is the newer, then the later asOf. */
export interface AccountScore {
  readonly accountId: string;
  /** Offset of the last touch or fact that the account's ledger holds. */
  readonly version: number;
  readonly modelVersion: string;
  /** Epoch milliseconds. */
  readonly asOf: number;
  readonly points: number;
  /** 0 to 100. */
  readonly score: number;
  readonly engaged: boolean;
  /** Engaged contacts in the reach window. */
  readonly contacts: number;
  /** Epoch milliseconds; null when the account has no touch. */
  readonly lastTouchAt: number | null;
}

/** The version of account-score.avsc that is written and read by heart here; records of any other are read through avsc. */
const KNOWN = publishedSchemas.version('account-score', 1);

const CHUNK_BYTES = 64 * 1024;
/** Header, lengths of both texts, three times and a version, contacts, two doubles, engaged, the union's branch. */
const FIXED_BYTES_MAX = HEADER_BYTES + 2 * 5 + 4 * 10 + 2 * 8 + 2;

let chunk = Buffer.alloc(0);
let chunkView = new DataView(chunk.buffer);
let chunkEnd = 0;

/**
 * The record as it goes on the log. Scores stand one behind another in chunks that are never written twice, so what is handed out stays as it is.
 * @throws RangeError for a version, time or count that is no whole number from 0 to the safe integers
 */
export function encodeAccountScore(score: AccountScore): Uint8Array {
  assertWhole(score.version);
  assertWhole(score.asOf);
  assertWhole(score.contacts);
  assertWhole(score.lastTouchAt ?? 0);
  const bytesMax = FIXED_BYTES_MAX + (score.accountId.length + score.modelVersion.length) * BYTES_PER_UNIT;
  if (bytesMax > chunk.length - chunkEnd) {
    chunk = Buffer.allocUnsafeSlow(Math.max(bytesMax, CHUNK_BYTES));
    chunkView = new DataView(chunk.buffer);
    chunkEnd = 0;
  }
  const start = chunkEnd;
  let at = start;
  for (let index = 0; index < HEADER_BYTES; index++) chunk[at++] = KNOWN.header[index]!;
  at = writeText(chunk, at, score.accountId);
  at = writeLong(chunk, at, score.version);
  at = writeText(chunk, at, score.modelVersion);
  at = writeLong(chunk, at, score.asOf);
  chunkView.setFloat64(at, score.points, true);
  chunkView.setFloat64(at + 8, score.score, true);
  at += 16;
  chunk[at++] = score.engaged ? 1 : 0;
  at = writeLong(chunk, at, score.contacts);
  chunk[at++] = score.lastTouchAt === null ? 0 : 2;
  if (score.lastTouchAt !== null) at = writeLong(chunk, at, score.lastTouchAt);
  chunkEnd = at;
  return new Uint8Array(chunk.buffer, start, at - start);
}

function assertWhole(value: number): void {
  if (!(value >= 0 && Number.isSafeInteger(value))) throw new RangeError(`a score can not hold the number ${value}`);
}

export function decodeAccountScore(bytes: Uint8Array, start: number, end: number): AccountScore | Poison {
  const schema = publishedSchemas.find(bytes, start, end);
  if (schema === KNOWN) {
    const known = readKnown(bytes, start + HEADER_BYTES, end);
    if (known !== null) return known;
  }
  if (isPoison(schema)) return schema;
  if (schema.record !== 'account-score') return poison('invalid_value', `the record is no score but of ${schema.file}`);
  const body = publishedSchemas.decode(schema, bytes, start, end);
  if (isPoison(body)) return body;
  const score = { ...body } as unknown as AccountScore;
  return problemOf(score) ?? score;
}

function problemOf({ accountId, version, asOf, contacts, lastTouchAt }: AccountScore): Poison | null {
  const problem = problemOfIdentity('accountId', accountId);
  if (problem) return problem;
  if (version < 0 || contacts < 0) return poison('invalid_value', 'version or contacts is negative');
  for (const time of [asOf, lastTouchAt ?? 0]) {
    if (time < 0 || time > TIME_MAX) return poison('invalid_value', 'asOf or lastTouchAt is not between 1970 and 9999');
  }
  return null;
}

const VERSION_MAX = 2 ** 52 - 1;
const CONTACTS_MAX = 2 ** 31 - 1;
const input = new AvroInput();
/** The model's version is the same in nearly all scores: read once, it is found again by its bytes. */
let lastModel = '';
let lastModelBytes: Uint8Array = new Uint8Array(0);

/** A score that is as it should be, which nearly all are; null for any other: avsc and the checks above say what it is. */
function readKnown(bytes: Uint8Array, start: number, end: number): AccountScore | null {
  input.open(bytes, start, end);
  const idLength = input.readLength();
  const idStart = input.at;
  if (idLength < 1 || idLength > ID_BYTES_MAX || !isUtf8(bytes, idStart, idStart + idLength)) return null;
  input.at += idLength;
  const version = input.readLong();
  const modelLength = input.readLength();
  const modelStart = input.at;
  if (modelLength < 0) return null;
  input.at += modelLength;
  const asOf = input.readLong();
  // Two doubles, engaged, contacts and the union's branch follow.
  if (end - input.at < 19) return null;
  const points = input.readDouble();
  const score = input.readDouble();
  const engaged = bytes[input.at++]!;
  const contacts = input.readLong();
  const branch = input.readLong();
  const lastTouchAt = branch === 1 ? input.readLong() : 0;
  // NaN, for what is cut off, fails every comparison.
  const isSound =
    input.at === end &&
    version >= 0 &&
    version <= VERSION_MAX &&
    asOf >= 0 &&
    asOf <= TIME_MAX &&
    Number.isFinite(points) &&
    Number.isFinite(score) &&
    engaged <= 1 &&
    contacts >= 0 &&
    contacts <= CONTACTS_MAX &&
    (branch === 0 || branch === 1) &&
    lastTouchAt >= 0 &&
    lastTouchAt <= TIME_MAX;
  if (!isSound || !readModel(bytes, modelStart, modelStart + modelLength)) return null;
  return {
    accountId: decodeUtf8(bytes, idStart, idStart + idLength),
    version,
    modelVersion: lastModel,
    asOf,
    points,
    score,
    engaged: engaged === 1,
    contacts,
    lastTouchAt: branch === 1 ? lastTouchAt : null,
  };
}

/** Sets `lastModel`; false where the bytes are no UTF-8. */
function readModel(bytes: Uint8Array, start: number, end: number): boolean {
  let same = lastModelBytes.length === end - start ? 0 : -1;
  while (same >= 0 && same < lastModelBytes.length && lastModelBytes[same] === bytes[start + same]) same++;
  if (same === lastModelBytes.length) return true;
  if (!isUtf8(bytes, start, end)) return false;
  lastModel = decodeUtf8(bytes, start, end);
  // A copy also of a Buffer, whose own `slice` is a view: the block must not stay in memory for it.
  lastModelBytes = new Uint8Array(bytes.subarray(start, end));
  return true;
}
