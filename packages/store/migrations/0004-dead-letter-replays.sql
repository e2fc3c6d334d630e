-- The record's key, so that it can be put on the log again as it was. Null for a record without one, and for those set aside before this.
ALTER TABLE dead_letters ADD COLUMN IF NOT EXISTS key Nullable(String) AFTER detail;

-- When a dead letter was put on the log again, the last time if more than once. A table of its own, because the row of the dead letter may be
-- written again at any time by a checkpoint that is repeated, and knows nothing of this.
CREATE TABLE IF NOT EXISTS dead_letter_replays
(
    partition UInt16,
    offset UInt64 CODEC(Delta, LZ4),
    replayed_at DateTime64(3, 'UTC')
)
ENGINE = {replicated}ReplacingMergeTree(replayed_at)
ORDER BY (partition, offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;
