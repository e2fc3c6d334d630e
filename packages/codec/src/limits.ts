/**
 * What a record on the log may hold, whoever wrote it. Sizes are bytes of UTF-8 and lie above what ingest takes in UTF-16 units (128 for an
 * id, 2048 for a URL), so that nothing accepted there is refused here.
 */
export const ID_BYTES_MAX = 512;
export const URL_BYTES_MAX = 8192;
export const PROPERTIES_MAX = 1000;
export const PROPERTY_KEY_BYTES_MAX = 512;
export const PROPERTY_VALUE_BYTES_MAX = 8192;
export const KIND_BYTES_MAX = 64;
export const MINUTES_MAX = 1440;
/** 9999-12-31T23:59:59.999Z: later times have no four-digit year, which RFC 3339 asks for. */
export const TIME_MAX = 253_402_300_799_999;
/** 0001-01-01T00:00:00.000Z. */
export const TIME_MIN = -62_135_596_800_000;

/**
 * Items of all arrays and maps of a record. An item can take no bytes at all (an array of nulls), so the size of a record does not bound how
 * many it claims to have.
 */
export const ITEMS_MAX = 10_000;

/**
 * Text by which records are told apart and joined. It must be valid UTF-8: two different invalid sequences would decode to the same string.
 * Elsewhere an invalid sequence is read as U+FFFD.
 */
export const IDENTITY_FIELDS: ReadonlySet<string> = new Set(['id', 'accountId', 'contactId', 'parentId']);
