import type { Type } from 'avsc';

/**
 * The schema in Avro's Parsing Canonical Form: only what decides how bytes are read, with full names and without white space. Docs, defaults,
 * aliases and logical types are left out.
 */
export function canonicalForm(type: Type): string {
  return JSON.stringify(type.schema());
}

/** The fingerprint of the empty text, and the polynomial's coefficients. */
const EMPTY = 0xc15d213aa4d7a795n;

const TABLE = Array.from({ length: 256 }, (_, byte) => {
  let entry = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) entry = entry & 1n ? (entry >> 1n) ^ EMPTY : entry >> 1n;
  return entry;
});

/** CRC-64-AVRO (a Rabin fingerprint), as the Avro specification gives it under "Schema Fingerprints". */
export function fingerprintOf(canonical: string): bigint {
  let fingerprint = EMPTY;
  for (const byte of new TextEncoder().encode(canonical)) {
    fingerprint = (fingerprint >> 8n) ^ TABLE[Number((fingerprint ^ BigInt(byte)) & 0xffn)]!;
  }
  return fingerprint;
}
