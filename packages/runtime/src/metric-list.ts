/**
 * Every metric of ours, once: what is not here is not exposed. Names get the prefix `touchstone_`; units are seconds, bytes and plain
 * counts. METRICS.md holds the same list for people, and a test compares the two.
 */
export interface MetricSpec {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Label names, each with how many different values it may take; further values become `other`. Never an account or a contact. */
  readonly labels: Readonly<Record<string, number>>;
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

// From a fraction of a millisecond (a batch in memory) to the 30 s after which a request is given up.
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const LONG_SECONDS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

export const METRICS = {
  http_request_seconds: {
    kind: 'histogram',
    help: 'Time from the first byte of a request to the last byte of its answer',
    labels: { route: 100, method: 12, status: 40 },
    buckets: SECONDS,
  },
  ingest_items_total: {
    kind: 'counter',
    help: 'Touches, facts and models posted: accepted, rejected, or sent away because the log could not take them',
    labels: { endpoint: 16, outcome: 3 },
  },
  ingest_rejected_total: { kind: 'counter', help: 'Items rejected, by the code told to the client', labels: { endpoint: 16, code: 24 } },
  ingest_bytes_total: { kind: 'counter', help: 'Bytes of request bodies, inflated', labels: { endpoint: 16 } },
  ingest_seconds: {
    kind: 'histogram',
    help: 'Time from a body read whole to its items being durable',
    labels: { endpoint: 16 },
    buckets: SECONDS,
  },
  log_append_seconds: { kind: 'histogram', help: 'Time until records handed to the log are durable', labels: {}, buckets: SECONDS },
  log_errors_total: { kind: 'counter', help: 'Failed calls to the event log, by error code', labels: { code: 16 } },
  log_lag_records: { kind: 'gauge', help: 'Records appended but not applied yet', labels: { partition: 1024 } },
  records_applied_total: { kind: 'counter', help: 'Records of the log that were handled', labels: { record: 5 } },
  apply_seconds: { kind: 'histogram', help: 'Time to apply one block of records', labels: {}, buckets: SECONDS },
  touch_to_score_seconds: {
    kind: 'histogram',
    help: 'Time from the append of a block of touches to its scores being published',
    labels: {},
    buckets: SECONDS,
  },
  scores_published_total: { kind: 'counter', help: 'Scores of accounts published after a change', labels: {} },
  touches_applied_total: { kind: 'counter', help: 'Touches counted in a ledger', labels: {} },
  touches_duplicate_total: { kind: 'counter', help: 'Touches whose id had counted before', labels: {} },
  touches_late_total: { kind: 'counter', help: 'Touches dated over an hour before the log took them', labels: {} },
  touches_unresolved_total: { kind: 'counter', help: 'Touches without an account: kept, not scored', labels: {} },
  touches_unknown_kind_total: {
    kind: 'counter',
    help: 'Touches of a kind that no rule names; the first 50 kinds by name',
    labels: { kind: 50 },
  },
  alerts_published_total: { kind: 'counter', help: 'Alerts told, by type', labels: { type: 8 } },
  alerts_held_back_total: { kind: 'counter', help: 'Crossings that a cooldown held back', labels: {} },
  clock_ticks_total: { kind: 'counter', help: 'Records appended so that time passes while nothing arrives', labels: {} },
  accounts_by_stage: { kind: 'gauge', help: 'Accounts in each stage of the model, of the partitions held', labels: { stage: 33 } },
  qualified_accounts: { kind: 'gauge', help: 'Marketing qualified accounts, of the partitions held', labels: {} },
  dead_letters_total: { kind: 'counter', help: 'Records set aside because they could not be read or applied', labels: { reason: 16 } },
  dead_letters_replayed_total: { kind: 'counter', help: 'Dead letters put on the log again', labels: { reason: 16 } },
  ledgers: { kind: 'gauge', help: 'Accounts held in memory', labels: {} },
  contacts: { kind: 'gauge', help: 'Contacts held in memory', labels: {} },
  checkpoint_age_seconds: { kind: 'gauge', help: 'Time since the last checkpoint that succeeded', labels: {} },
  checkpoint_seconds: { kind: 'histogram', help: 'Time one checkpoint took', labels: {}, buckets: LONG_SECONDS },
  checkpoint_rows_total: { kind: 'counter', help: 'Rows written by checkpoints', labels: {} },
  checkpoint_failures_total: { kind: 'counter', help: 'Checkpoints that failed and will be repeated', labels: {} },
  partitions_held: { kind: 'gauge', help: 'Partitions whose ledgers this process keeps', labels: {} },
  partitions_taken_total: { kind: 'counter', help: 'Partitions taken up, by where their ledgers came from', labels: { from: 2 } },
  recovery_seconds: { kind: 'gauge', help: 'Time the last restore of ledgers took', labels: {} },
  recovered_records: { kind: 'gauge', help: 'Stored records that the last restore replayed', labels: {} },
  snapshots_total: {
    kind: 'counter',
    help: 'Snapshots of ledgers that were written, failed to be, or were found at a start, by what became of them',
    labels: { outcome: 5 },
  },
  rescores_total: {
    kind: 'counter',
    help: 'Times all accounts were rescored under another model, by how that ended',
    labels: { outcome: 3 },
  },
  replica_rebuilds_total: {
    kind: 'counter',
    help: 'Times a reader restored its ledgers anew because the log had dropped what came next',
    labels: {},
  },
  creative_impressions: {
    kind: 'gauge',
    help: 'Ad impressions of a creative in the last seven UTC days, of the 50 creatives with the most whose campaigns had one since yesterday',
    labels: { campaign: 50, creative: 50 },
  },
  creative_clicks: {
    kind: 'gauge',
    help: 'Ad clicks of the same creatives in the same days',
    labels: { campaign: 50, creative: 50 },
  },
  creative_click_rate: {
    kind: 'gauge',
    help: 'Clicks per impression of the same creatives in the same days',
    labels: { campaign: 50, creative: 50 },
  },
  creative_click_rate_low: {
    kind: 'gauge',
    help: 'Lower bound of the interval of that rate, with accounts as clusters, at confidence 0.95',
    labels: { campaign: 50, creative: 50 },
  },
  creative_click_rate_high: {
    kind: 'gauge',
    help: 'Upper bound of the interval of that rate',
    labels: { campaign: 50, creative: 50 },
  },
  creative_accounts_reached: {
    kind: 'gauge',
    help: 'Accounts with a touch of the same creatives in the same days',
    labels: { campaign: 50, creative: 50 },
  },
  stream_clients: { kind: 'gauge', help: 'Open connections of GET /v1/stream', labels: {} },
  stream_partitions_held: {
    kind: 'gauge',
    help: 'Partitions whose next published score or alert waits until its version is applied here',
    labels: {},
  },
  stream_scores_dropped_total: {
    kind: 'counter',
    help: 'Published scores that readers are not told because they know newer ones',
    labels: {},
  },
  stream_alerts_repeated_total: {
    kind: 'counter',
    help: 'Alerts that stand on their topic again, which readers are told once',
    labels: {},
  },
  alert_actions_total: {
    kind: 'counter',
    help: 'What people did about alerts: ack, snooze, useful, not_useful',
    labels: { action: 4 },
  },
  alert_deliveries_total: {
    kind: 'counter',
    help: 'Messages to endpoints: delivered, to be tried again after a failed attempt, failed for good, or held for a digest',
    labels: { outcome: 4 },
  },
  alert_delivery_seconds: { kind: 'histogram', help: 'Time an attempt to deliver a message took', labels: {}, buckets: SECONDS },
  alert_to_delivery_seconds: {
    kind: 'histogram',
    help: 'Time from the instant of an alert, which for a touch is its append, to its message being taken by the receiver',
    labels: {},
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86_400],
  },
  alert_deliveries_pending: { kind: 'gauge', help: 'Messages that are still to be delivered', labels: {} },
  alert_endpoints: {
    kind: 'gauge',
    help: 'Endpoints by state: active, failing (its last attempt failed) or disabled',
    labels: { state: 3 },
  },
  alerts_unreadable_total: { kind: 'counter', help: 'Records of the alerts topic that are no alerts, and were passed over', labels: {} },
  experiments: { kind: 'gauge', help: 'Experiments by status: draft, running or stopped', labels: { status: 3 } },
  experiment_steps_total: {
    kind: 'counter',
    help: 'Steps of experiments that were read, by what became of them: applied, refused for another had come before, or passed over as unreadable',
    labels: { action: 7, outcome: 3 },
  },
  decisions_total: {
    kind: 'counter',
    help: 'Decisions told to ad platforms, by experiment, creative and reason',
    labels: { experiment: 100, creative: 200, reason: 5 },
  },
  decision_streams: { kind: 'gauge', help: 'Open connections that are told when something is decided otherwise', labels: {} },
  decision_refetches_total: { kind: 'counter', help: 'Times a connection was told to ask again', labels: {} },
  experiment_accounts: {
    kind: 'gauge',
    help: 'Accounts by the creative that they saw first in a running experiment',
    labels: { experiment: 100, creative: 200 },
  },
  experiment_settled_accounts: {
    kind: 'gauge',
    help: 'Those of them that are in the comparison by now',
    labels: { experiment: 100, creative: 200 },
  },
  experiment_outcome: {
    kind: 'gauge',
    help: "Mean outcome of these, by the experiment's metric",
    labels: { experiment: 100, creative: 200 },
  },
  experiment_contaminated_accounts: {
    kind: 'gauge',
    help: 'Accounts that saw more than one creative of a running experiment, and are left out of the comparison',
    labels: { experiment: 100 },
  },
  kpi: {
    kind: 'gauge',
    help: 'KPIs of the current month (UTC), each in its own unit, amounts by currency, refreshed every minute; NaN for what can not be told',
    labels: { name: 64, currency: 64 },
  },
  lead_velocity_percent: {
    kind: 'gauge',
    help: 'Lead velocity rate of the month to date by UTC: against the whole month before, paced against the same point of it, and projected; NaN where there is none',
    labels: { figure: 3 },
  },
  opportunities_by_stage: { kind: 'gauge', help: 'Open opportunities in each stage of the CRM', labels: { stage: 40 } },
  store_errors_total: { kind: 'counter', help: 'Failed calls to the store, by error code', labels: { code: 16 } },
  key_refresh_failures_total: {
    kind: 'counter',
    help: 'Times the API keys could not be read again; the last known ones stay in force',
    labels: {},
  },
} as const satisfies Record<string, MetricSpec>;

export type MetricName = keyof typeof METRICS;
type Kind<K extends MetricSpec['kind']> = { [Name in MetricName]: (typeof METRICS)[Name]['kind'] extends K ? Name : never }[MetricName];

export type CounterName = Kind<'counter'>;
export type GaugeName = Kind<'gauge'>;
export type HistogramName = Kind<'histogram'>;
export type LabelsOf<Name extends MetricName> = { readonly [Label in keyof (typeof METRICS)[Name]['labels']]: string };
