-- The facts as typed tables, one row an id: of two versions the one with the newest updatedAt stays, of equals the later on the log. `rank` is the
-- three as one number: updatedAt and the time of append in ms, then the offset. Views fill them from `facts`, where the history is, in the
-- same insert; the same row again replaces itself. Text that is absent is stored as '', an instant that is absent as the epoch.
--
-- They are synced like facts: a row lost in a power cut would not come again, as the checkpoint that had it is done.

CREATE TABLE IF NOT EXISTS accounts
(
    id String,
    rank UInt128,
    name String,
    industry LowCardinality(String),
    employees Nullable(UInt32),
    tier LowCardinality(String),
    target_list Bool,
    owner LowCardinality(String),
    parent_id String
)
ENGINE = {replicated}ReplacingMergeTree(rank)
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS contacts
(
    id String,
    rank UInt128,
    account_id String,
    role LowCardinality(String)
)
ENGINE = {replicated}ReplacingMergeTree(rank)
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS leads
(
    id String,
    rank UInt128,
    updated_at DateTime64(3, 'UTC'),
    account_id String,
    contact_id String,
    status LowCardinality(String),
    source LowCardinality(String),
    campaign_id LowCardinality(String),
    created_at DateTime64(3, 'UTC'),
    qualified_at DateTime64(3, 'UTC')
)
ENGINE = {replicated}ReplacingMergeTree(rank)
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS opportunities
(
    id String,
    rank UInt128,
    updated_at DateTime64(3, 'UTC'),
    account_id String,
    stage LowCardinality(String),
    amount Nullable(Float64),
    currency LowCardinality(String),
    source LowCardinality(String),
    owner LowCardinality(String),
    created_at DateTime64(3, 'UTC'),
    -- The epoch while it is open, whatever the fact says.
    closed_at DateTime64(3, 'UTC'),
    -- won, lost, or '' while it is open.
    outcome LowCardinality(String)
)
ENGINE = {replicated}ReplacingMergeTree(rank)
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

-- When each lead had each status first, '' where it had none: what dates a lead that does not say when it was made or qualified, so that a later version moves
-- neither. The least of a set is the same however often one is in it.
CREATE TABLE IF NOT EXISTS lead_firsts
(
    id String,
    status String,
    first_at SimpleAggregateFunction(min, DateTime64(3, 'UTC'))
)
ENGINE = {replicated}AggregatingMergeTree
ORDER BY (id, status)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

-- Every version of every opportunity: its stages over time, and since when it has its outcome where it does not say.
CREATE TABLE IF NOT EXISTS opportunity_versions
(
    id String,
    rank UInt128,
    updated_at DateTime64(3, 'UTC'),
    account_id String,
    stage LowCardinality(String),
    amount Nullable(Float64),
    currency LowCardinality(String),
    created_at DateTime64(3, 'UTC'),
    closed_at DateTime64(3, 'UTC'),
    outcome LowCardinality(String)
)
ENGINE = {replicated}ReplacingMergeTree
ORDER BY (id, rank)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS spend
(
    id String,
    rank UInt128,
    -- A calendar day, of no time zone.
    date Date32,
    campaign_id LowCardinality(String),
    creative_id LowCardinality(String),
    channel LowCardinality(String),
    category LowCardinality(String),
    amount Float64,
    currency LowCardinality(String)
)
ENGINE = {replicated}ReplacingMergeTree(rank)
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS subscriptions
(
    id String,
    rank UInt128,
    account_id String,
    mrr Float64,
    currency LowCardinality(String),
    -- The epoch for a subscription that has always been.
    begins_at DateTime64(3, 'UTC'),
    -- The epoch while no end is known.
    ends_at DateTime64(3, 'UTC')
)
ENGINE = {replicated}ReplacingMergeTree(rank)
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS accounts_of_facts TO accounts AS
SELECT id,
    bitOr(bitShiftLeft(toUInt128(greatest(toUnixTimestamp64Milli(updated_at), 0)), 80),
          bitOr(bitShiftLeft(toUInt128(greatest(toUnixTimestamp64Milli(appended_at), 0)), 38), toUInt128(offset))) AS rank,
    JSONExtractString(body, 'name') AS name,
    JSONExtractString(body, 'industry') AS industry,
    JSONExtract(body, 'employees', 'Nullable(UInt32)') AS employees,
    JSONExtractString(body, 'tier') AS tier,
    JSONExtractBool(body, 'targetList') AS target_list,
    JSONExtractString(body, 'owner') AS owner,
    JSONExtractString(body, 'parentId') AS parent_id
FROM facts WHERE type = 'account';

CREATE MATERIALIZED VIEW IF NOT EXISTS contacts_of_facts TO contacts AS
SELECT id,
    bitOr(bitShiftLeft(toUInt128(greatest(toUnixTimestamp64Milli(updated_at), 0)), 80),
          bitOr(bitShiftLeft(toUInt128(greatest(toUnixTimestamp64Milli(appended_at), 0)), 38), toUInt128(offset))) AS rank,
    account_id,
    JSONExtractString(body, 'role') AS role
FROM facts WHERE type = 'contact';

CREATE MATERIALIZED VIEW IF NOT EXISTS leads_of_facts TO leads AS
SELECT id,
    bitOr(bitShiftLeft(toUInt128(greatest(toUnixTimestamp64Milli(updated_at), 0)), 80),
          bitOr(bitShiftLeft(toUInt128(greatest(toUnixTimestamp64Milli(appended_at), 0)), 38), toUInt128(offset))) AS rank,
    updated_at,
    JSONExtractString(body, 'accountId') AS account_id,
    JSONExtractString(body, 'contactId') AS contact_id,
    JSONExtractString(body, 'status') AS status,
    JSONExtractString(body, 'source') AS source,
    JSONExtractString(body, 'campaignId') AS campaign_id,
    fromUnixTimestamp64Milli(JSONExtractInt(body, 'createdAt'), 'UTC') AS created_at,
    fromUnixTimestamp64Milli(JSONExtractInt(body, 'qualifiedAt'), 'UTC') AS qualified_at
FROM facts WHERE type = 'lead';

CREATE MATERIALIZED VIEW IF NOT EXISTS lead_firsts_of_facts TO lead_firsts AS
SELECT id, JSONExtractString(body, 'status') AS status, min(updated_at) AS first_at FROM facts WHERE type = 'lead' GROUP BY id, status;

CREATE MATERIALIZED VIEW IF NOT EXISTS opportunities_of_facts TO opportunities AS
SELECT id,
    bitOr(bitShiftLeft(toUInt128(greatest(toUnixTimestamp64Milli(updated_at), 0)), 80),
          bitOr(bitShiftLeft(toUInt128(greatest(toUnixTimestamp64Milli(appended_at), 0)), 38), toUInt128(offset))) AS rank,
    updated_at,
    JSONExtractString(body, 'accountId') AS account_id,
    JSONExtractString(body, 'stage') AS stage,
    JSONExtract(body, 'amount', 'Nullable(Float64)') AS amount,
    JSONExtractString(body, 'currency') AS currency,
    JSONExtractString(body, 'source') AS source,
    JSONExtractString(body, 'owner') AS owner,
    fromUnixTimestamp64Milli(JSONExtractInt(body, 'createdAt'), 'UTC') AS created_at,
    fromUnixTimestamp64Milli(if(outcome = '', 0, JSONExtractInt(body, 'closedAt')), 'UTC') AS closed_at,
    JSONExtractString(body, 'outcome') AS outcome
FROM facts WHERE type = 'opportunity';

CREATE MATERIALIZED VIEW IF NOT EXISTS opportunity_versions_of_facts TO opportunity_versions AS
SELECT id,
    bitOr(bitShiftLeft(toUInt128(greatest(toUnixTimestamp64Milli(updated_at), 0)), 80),
          bitOr(bitShiftLeft(toUInt128(greatest(toUnixTimestamp64Milli(appended_at), 0)), 38), toUInt128(offset))) AS rank,
    updated_at,
    JSONExtractString(body, 'accountId') AS account_id,
    JSONExtractString(body, 'stage') AS stage,
    JSONExtract(body, 'amount', 'Nullable(Float64)') AS amount,
    JSONExtractString(body, 'currency') AS currency,
    fromUnixTimestamp64Milli(JSONExtractInt(body, 'createdAt'), 'UTC') AS created_at,
    fromUnixTimestamp64Milli(if(outcome = '', 0, JSONExtractInt(body, 'closedAt')), 'UTC') AS closed_at,
    JSONExtractString(body, 'outcome') AS outcome
FROM facts WHERE type = 'opportunity';

CREATE MATERIALIZED VIEW IF NOT EXISTS spend_of_facts TO spend AS
SELECT id,
    bitOr(bitShiftLeft(toUInt128(greatest(toUnixTimestamp64Milli(updated_at), 0)), 80),
          bitOr(bitShiftLeft(toUInt128(greatest(toUnixTimestamp64Milli(appended_at), 0)), 38), toUInt128(offset))) AS rank,
    toDate32(JSONExtractString(body, 'date')) AS date,
    JSONExtractString(body, 'campaignId') AS campaign_id,
    JSONExtractString(body, 'creativeId') AS creative_id,
    JSONExtractString(body, 'channel') AS channel,
    JSONExtractString(body, 'category') AS category,
    JSONExtractFloat(body, 'amount') AS amount,
    JSONExtractString(body, 'currency') AS currency
FROM facts WHERE type = 'spend';

CREATE MATERIALIZED VIEW IF NOT EXISTS subscriptions_of_facts TO subscriptions AS
SELECT id,
    bitOr(bitShiftLeft(toUInt128(greatest(toUnixTimestamp64Milli(updated_at), 0)), 80),
          bitOr(bitShiftLeft(toUInt128(greatest(toUnixTimestamp64Milli(appended_at), 0)), 38), toUInt128(offset))) AS rank,
    JSONExtractString(body, 'accountId') AS account_id,
    JSONExtractFloat(body, 'mrr') AS mrr,
    JSONExtractString(body, 'currency') AS currency,
    fromUnixTimestamp64Milli(JSONExtractInt(body, 'from'), 'UTC') AS begins_at,
    fromUnixTimestamp64Milli(JSONExtractInt(body, 'to'), 'UTC') AS ends_at
FROM facts WHERE type = 'subscription';

-- Facts stored before this go through the views by being written again, which changes nothing in `facts` itself.
INSERT INTO facts SELECT * FROM facts WHERE type NOT IN ('model', 'tick') SETTINGS insert_deduplicate = 0, optimize_on_insert = 0;

-- What somebody wants a KPI to be; the latest stands, and one without a value takes it back.
CREATE TABLE IF NOT EXISTS kpi_targets
(
    name String,
    set_at DateTime64(3, 'UTC'),
    value Nullable(Float64),
    set_by String
)
ENGINE = {replicated}ReplacingMergeTree(set_at)
ORDER BY name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;
