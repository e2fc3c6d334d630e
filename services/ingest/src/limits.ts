/** What one request and one item may hold. Texts are measured in UTF-16 units, as JavaScript and Java count them. */
export const ITEMS_MAX = 10_000;
/** Of a body, inflated. */
export const BODY_BYTES_MAX = 16 * 1024 * 1024;
/** Of an item as it is encoded for the log: the same for JSON and NDJSON, however it was spaced and escaped. */
export const ITEM_BYTES_MAX = 32 * 1024;

export const ID_MAX = 128;
export const URL_MAX = 2048;
export const PROPERTIES_MAX = 32;
export const PROPERTY_KEY_MAX = 128;
export const PROPERTY_VALUE_MAX = 1024;
export const MINUTES_MAX = 1440;
export const NAME_MAX = 256;
export const DOMAINS_MAX = 100;

/** How far the clock of a sender may be ahead of ours. */
export const AHEAD_MAX_MS = 5 * 60_000;

/** A line of NDJSON this long can't hold an item within its limit: an escaped character takes at most six of JSON for one byte. */
export const LINE_UNITS_MAX = 6 * ITEM_BYTES_MAX + 64 * 1024;
