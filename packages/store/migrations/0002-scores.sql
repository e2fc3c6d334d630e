-- Scores can be made anew from the touches, so these tables are not synced on every insert.
--
-- Of two rows with one key the higher version stays, then the later as_of; `rank` is the two as one number.

CREATE TABLE IF NOT EXISTS account_scores
(
    account_id String,
    partition UInt16,
    version UInt64,
    model_version LowCardinality(String),
    as_of DateTime64(3, 'UTC'),
    points Float64,
    score Float64,
    engaged Bool,
    rank UInt128 MATERIALIZED bitOr(bitShiftLeft(toUInt128(version), 64), toUInt128(greatest(toUnixTimestamp64Milli(as_of), 0)))
)
ENGINE = {replicated}ReplacingMergeTree(rank)
ORDER BY account_id;

CREATE TABLE IF NOT EXISTS score_history
(
    account_id String,
    hour DateTime('UTC'),
    version UInt64,
    model_version LowCardinality(String),
    as_of DateTime64(3, 'UTC'),
    points Float64,
    score Float64,
    rank UInt128 MATERIALIZED bitOr(bitShiftLeft(toUInt128(version), 64), toUInt128(greatest(toUnixTimestamp64Milli(as_of), 0)))
)
ENGINE = {replicated}ReplacingMergeTree(rank)
ORDER BY (account_id, hour);

-- History follows from the scores, so that both take one insert. It adds nothing up, so a score written again changes nothing.
CREATE MATERIALIZED VIEW IF NOT EXISTS score_history_of_scores TO score_history AS
SELECT account_id, toStartOfHour(as_of, 'UTC') AS hour, version, model_version, as_of, points, score
FROM account_scores;
