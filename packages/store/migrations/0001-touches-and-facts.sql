-- What a ledger is made of, one row per record of the log, keyed by its place there. The same record written again replaces itself, so a
-- checkpoint may be repeated at any time. Text that is absent is stored as ''.
--
-- A checkpoint counts on these rows after a power cut, so parts are synced when written, and again after a merge: the sources of a merge
-- may be removed at once.

CREATE TABLE IF NOT EXISTS touches
(
    partition UInt16,
    offset UInt64 CODEC(Delta, LZ4),
    appended_at DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    minutes Float64,
    id String,
    account_id String,
    contact_id String,
    kind LowCardinality(String),
    channel LowCardinality(String),
    campaign_id LowCardinality(String),
    creative_id LowCardinality(String),
    url String,
    source LowCardinality(String),
    properties Map(String, String),
    -- For the timeline of one account. Rows are kept in the order of the log, because replay needs them so; the filter skips what can not
    -- hold the account at a tenth of the cost of keeping a second order.
    INDEX by_account account_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = {replicated}ReplacingMergeTree
ORDER BY (partition, offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

-- `type` is that of the fact, or 'model' for a published scoring model; `body` is the whole of it.
CREATE TABLE IF NOT EXISTS facts
(
    partition UInt16,
    offset UInt64 CODEC(Delta, LZ4),
    appended_at DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    type LowCardinality(String),
    id String,
    account_id String,
    updated_at DateTime64(3, 'UTC'),
    body String
)
ENGINE = {replicated}ReplacingMergeTree
ORDER BY (partition, offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS dead_letters
(
    partition UInt16,
    offset UInt64 CODEC(Delta, LZ4),
    appended_at DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    reason LowCardinality(String),
    detail String,
    value String
)
ENGINE = {replicated}ReplacingMergeTree
ORDER BY (partition, offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

-- How far each partition is stored. Within a generation of the topic the highest offset stays, because rows are stored before the position
-- that counts on them: a former owner that writes a lower one late changes nothing. Across generations the one written last stands.
CREATE TABLE IF NOT EXISTS positions
(
    partition UInt16,
    generation String,
    offset UInt64,
    written_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = {replicated}ReplacingMergeTree(offset)
ORDER BY (partition, generation)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;
