import { FACT_TYPES, type FactType } from '@touchstone/engine';
import avsc from 'avsc';
import type { Type, types } from 'avsc';
import { canonicalForm, fingerprintOf } from './fingerprint.ts';

export type FactRecordName = `${FactType}-fact`;
export type RecordName =
  | 'touch'
  | FactRecordName
  | 'model-published'
  | 'account-score'
  | 'dead-letter'
  | 'alert'
  | 'clock-tick'
  | 'experiment-record';

export const RECORD_NAMES: readonly RecordName[] = [
  'touch',
  ...FACT_TYPES.map((type): FactRecordName => `${type}-fact`),
  'model-published',
  'account-score',
  'dead-letter',
  'alert',
  'clock-tick',
  'experiment-record',
];

/** Avro single-object encoding: two marker bytes, the fingerprint with its lowest byte first, the body. */
export const HEADER_BYTES = 10;
export const MARKER = [0xc3, 0x01] as const;

const FILE_NAME = /^(?<record>[a-z-]+)\.v(?<version>\d+)\.avsc$/;

/** One version of one record type: a file of schemas/. */
export class RecordSchema {
  /** Name of the file, for messages. */
  readonly file: string;
  readonly record: RecordName;
  readonly version: number;
  readonly type: Type;
  /** Fields that may be null. */
  readonly optionalFields: ReadonlySet<string>;
  /** 16 hexadecimal digits. */
  readonly fingerprint: string;
  /** The fingerprint as the two unsigned 32-bit numbers by which the header of a record is compared. */
  readonly low: number;
  readonly high: number;
  /** What every record of this schema begins with. */
  readonly header: Uint8Array;

  constructor(file: string, text: string) {
    const groups = FILE_NAME.exec(file)?.groups;
    const record = RECORD_NAMES.find((name) => name === groups?.['record']);
    if (record === undefined)
      throw new Error(`schemas/${file}: a schema file is named RECORD.vN.avsc, RECORD one of ${RECORD_NAMES.join(', ')}`);
    this.file = file;
    this.record = record;
    this.version = Number(groups?.['version']);
    this.type = parse(file, text);
    const fullName = `touchstone.${record.replace(/(?:^|-)(?<letter>[a-z])/g, (_, letter: string) => letter.toUpperCase())}`;
    if (this.type.name !== fullName) throw new Error(`schemas/${file} defines ${this.type.name}; by its name it must define ${fullName}`);
    const { fields } = this.type as types.RecordType;
    this.optionalFields = new Set(fields.filter(({ type }) => type.typeName.startsWith('union')).map(({ name }) => name));

    const fingerprint = fingerprintOf(canonicalForm(this.type));
    this.fingerprint = fingerprint.toString(16).padStart(16, '0');
    this.low = Number(fingerprint & 0xffff_ffffn);
    this.high = Number(fingerprint >> 32n);
    this.header = new Uint8Array(HEADER_BYTES);
    this.header.set(MARKER);
    new DataView(this.header.buffer).setBigUint64(MARKER.length, fingerprint, true);
  }

  /**
   * The value with its header, as it goes on the log.
   * @throws Error when a field is missing or of another type
   */
  encode(value: object): Uint8Array {
    const body = this.type.toBuffer(value);
    const bytes = new Uint8Array(HEADER_BYTES + body.length);
    bytes.set(this.header);
    bytes.set(body, HEADER_BYTES);
    return bytes;
  }
}

type Schema = Parameters<typeof avsc.Type.forSchema>[0];

function parse(file: string, text: string): Type {
  try {
    return avsc.Type.forSchema(JSON.parse(text) as Schema, { wrapUnions: 'never', omitRecordMethods: true });
  } catch (cause) {
    throw new Error(`schemas/${file} is not a valid Avro schema: ${String(cause)}`, { cause });
  }
}
