-- Questions about opportunities are about touches of a period: touches stand by time of append, so that most of the others are passed over.
ALTER TABLE touches ADD INDEX IF NOT EXISTS by_time occurred_at TYPE minmax GRANULARITY 1;

-- When each account was touched first. It follows from the touches and is the same however often one is written: of two rows the earlier touch stays,
-- whose `earliness` is higher.
CREATE TABLE IF NOT EXISTS account_first_touches
(
    account_id String,
    first_at DateTime64(3, 'UTC'),
    earliness UInt64
)
ENGINE = {replicated}ReplacingMergeTree(earliness)
ORDER BY account_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS account_first_touches_of_touches TO account_first_touches AS
SELECT account_id, min(occurred_at) AS first_at, toUInt64(9000000000000000 - toUnixTimestamp64Milli(first_at)) AS earliness
FROM touches WHERE account_id != '' GROUP BY account_id;

INSERT INTO account_first_touches
SELECT account_id, min(occurred_at) AS first_at, toUInt64(9000000000000000 - toUnixTimestamp64Milli(first_at)) AS earliness
FROM touches WHERE account_id != '' GROUP BY account_id;
