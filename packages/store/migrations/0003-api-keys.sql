-- `hash` is the SHA-256 of the key, hex. `revoked_at` is the epoch while the key is good; as it is the version too, a key once revoked stays
-- so whatever is written later.
CREATE TABLE IF NOT EXISTS api_keys
(
    id String,
    name String,
    hash String,
    scopes Array(String),
    created_at DateTime64(3, 'UTC'),
    revoked_at DateTime64(3, 'UTC')
)
ENGINE = {replicated}ReplacingMergeTree(revoked_at)
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;
