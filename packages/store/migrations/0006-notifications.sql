-- Where alerts are sent. A row is the whole endpoint; the highest revision stands. One that was deleted stays as a row that says so, and
-- without its secrets.
CREATE TABLE IF NOT EXISTS endpoints
(
    id String,
    revision UInt32,
    name String,
    kind LowCardinality(String),
    url String,
    secrets Array(String),
    filter String,
    owner_budget Nullable(UInt32),
    state LowCardinality(String),
    state_reason String,
    created_at DateTime64(3, 'UTC'),
    updated_at DateTime64(3, 'UTC')
)
ENGINE = {replicated}ReplacingMergeTree(revision)
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

-- One row for each message to an endpoint, written anew with each attempt: the highest revision stands, so that a row written again, or late by
-- a process that had the partition before, changes nothing. What is still `pending` is what has to be sent.
--
-- `at` is the instant of the alert, which is the same however often it is published: so the key is too, and an endpoint's messages stand in
-- the order in which they are listed.
--
-- What came of a message is kept for 90 days: longer than anything is tried, and than the links of a message live.
CREATE TABLE IF NOT EXISTS deliveries
(
    endpoint_id String,
    at DateTime64(3, 'UTC'),
    id String,
    revision UInt32,
    kind LowCardinality(String),
    partition UInt16,
    owner String,
    state LowCardinality(String),
    taken_at DateTime64(3, 'UTC'),
    next_attempt_at DateTime64(3, 'UTC'),
    attempts UInt32,
    attempt_log String,
    payload String,
    INDEX by_id id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = {replicated}ReplacingMergeTree(revision)
ORDER BY (endpoint_id, at, id)
TTL toDateTime(taken_at) + INTERVAL 90 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;
