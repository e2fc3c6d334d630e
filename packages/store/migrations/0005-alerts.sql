-- Every step of an account under a rule of its scoring model: an alert, or an entry that the cooldown holds back. Where an account stands under
-- a rule is what its steps come to, so a restore reads them, and a checkpoint counts on them after a power cut. The same step written again
-- replaces itself. `body` is the whole alert; text that is absent is stored as ''.
CREATE TABLE IF NOT EXISTS alert_transitions
(
    partition UInt16,
    account_id String,
    rule_id LowCardinality(String),
    step UInt32,
    -- Of the record during whose application it happened.
    offset UInt64,
    at DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    alert_id String,
    type LowCardinality(String),
    direction LowCardinality(String),
    is_held Bool,
    episode UInt32,
    stage LowCardinality(String),
    owner LowCardinality(String),
    body String CODEC(ZSTD),
    INDEX by_offset offset TYPE minmax GRANULARITY 1,
    INDEX by_time at TYPE minmax GRANULARITY 1,
    INDEX by_alert alert_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = {replicated}ReplacingMergeTree
ORDER BY (partition, account_id, rule_id, step)
-- A page of a list reads few bodies from all over the table: in small granules few others are read with them.
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

-- What people did about alerts. `until` is the end of a snooze, and the epoch for every other action.
CREATE TABLE IF NOT EXISTS alert_actions
(
    alert_id String,
    action LowCardinality(String),
    at DateTime64(3, 'UTC'),
    by String,
    until DateTime64(3, 'UTC'),
    note String
)
ENGINE = {replicated}ReplacingMergeTree
ORDER BY (alert_id, action, at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;
