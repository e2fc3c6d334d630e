export { BODY_BYTES_MAX, ITEM_BYTES_MAX, ITEMS_MAX } from './limits.ts';
export { registerIngest } from './register-ingest.ts';
export type { IngestOptions } from './register-ingest.ts';
export { REJECT_CODES } from './reject-codes.ts';
export type { RejectCode, Rejection } from './reject-codes.ts';
