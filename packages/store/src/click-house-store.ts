import { scoringModelSchema } from '@touchstone/engine';
import { readAccountRecords } from './account-records.ts';
import { countAlerts, findAlerts } from './alerts.ts';
import { ChunkPool } from './chunk-pool.ts';
import type { AccountFact, RecordRun, RuleState, Transition } from '@touchstone/engine';
import type { Measured } from '@touchstone/kpis';
import { findDeadLetters, readDeadLetters } from './dead-letters.ts';
import { insertRows, STATEMENT_BYTES_MAX } from './insert-rows.ts';
import { jsonRows } from './json-rows.ts';
import type { KpiQuery, KpiTarget } from './kpis/kpi-store.ts';
import { measureKpi, readKpiTargets } from './kpis/measure-kpi.ts';
import { migrate, readMigrations } from './migrate.ts';
import type { DeliveryKey, DeliveryQuery, DeliveryRow, EndpointRow, OwnerCount, PendingQuery } from './notification-store.ts';
import {
  countPending,
  countTold,
  findDeliveries,
  hasActionNoted,
  readAccountFacts,
  readDeliveriesOf,
  readEndpoints,
  readHeld,
  readKnown,
  readPending,
} from './notifications.ts';
import { replay } from './replay.ts';
import type { RowTransport } from './row-transport.ts';
import { readAttribution, readCredited } from './opportunities/attribution.ts';
import { hasTouches, readInfluence, readInfluenced } from './opportunities/influence.ts';
import { countUnstaged } from './opportunities/opportunity-stays.ts';
import type { OpportunityStore } from './opportunities/opportunity-store.ts';
import { readOpportunityTouches } from './opportunities/opportunity-touches.ts';
import { readOutcomes } from './opportunities/outcomes.ts';
import { readQualifiedLeads } from './opportunities/qualified-leads.ts';
import { readContactRoles, type StoredRole } from './contact-roles.ts';
import { readCrossings, type StoredCrossing } from './crossings.ts';
import { readRuleStates } from './rule-states.ts';
import { readShownScores } from './shown-scores.ts';
import { sliceChunks } from './slice-chunks.ts';
import { findStalled, listStalled, readStageFigures } from './stage-stays.ts';
import type {
  AlertAction,
  AlertCounts,
  AlertQuery,
  ApiKeyRow,
  Checkpoint,
  DeadLetterPlace,
  DeadLetterQuery,
  HistoryPoint,
  ReplayRange,
  ScoreRow,
  StageFigures,
  StageQuery,
  StalledPage,
  StalledStay,
  ShownScores,
  Store,
  StoredAlert,
  StoredDeadLetter,
  StoredModel,
  StoredPosition,
  TimelineEntry,
  TimelinePlace,
  TouchRows,
  TouchTotals,
} from './store.ts';
import {
  ACCOUNT_SCORES,
  ALERT_ACTIONS_TAKEN,
  ALERT_TRANSITIONS,
  API_KEYS,
  DEAD_LETTER_REPLAYS,
  DEAD_LETTERS,
  DELIVERIES,
  ENDPOINTS,
  FACTS,
  KPI_TARGETS,
  POSITIONS,
} from './tables.ts';
import type { Table } from './tables.ts';
import { readTimeline } from './timeline.ts';
import { touchLayout, WHOLE_TOUCH } from './touch-columns.ts';
import { TouchRowArena } from './touch-rows.ts';
import { readTransitions } from './transitions.ts';

type Asked<Method extends keyof OpportunityStore> = Parameters<OpportunityStore[Method]>[0];
type Answer<Method extends keyof OpportunityStore> = ReturnType<OpportunityStore[Method]>;

export class ClickHouseStore implements Store {
  readonly #transport: RowTransport;
  readonly #chunks = new ChunkPool();

  constructor(transport: RowTransport) {
    this.#transport = transport;
  }

  migrate(): Promise<void> {
    return migrate(this.#transport, readMigrations());
  }

  touchRows(partition: number): TouchRows {
    return new TouchRowArena(partition, this.#chunks);
  }

  async checkpoint(checkpoints: readonly Checkpoint[]): Promise<void> {
    // In the order of the tables' keys: then a part is written as it comes.
    const ordered = checkpoints.toSorted((one, other) => one.partition - other.partition);
    const arenas = ordered.map(arenaOf);
    const touches = arenas.flatMap((arena) => arena.chunks());
    for (const some of sliceChunks(touches, STATEMENT_BYTES_MAX)) await this.#transport.insert('touches', WHOLE_TOUCH.columns, some);
    await this.#insert(
      FACTS,
      ordered.flatMap(({ facts }) => facts),
    );
    await this.#insert(
      DEAD_LETTERS,
      ordered.flatMap(({ deadLetters }) => deadLetters),
    );
    await this.#insert(
      ALERT_TRANSITIONS,
      ordered.flatMap(({ transitions }) => transitions),
    );
    await this.#insert(POSITIONS, ordered);
    if (this.#transport.letsGoOfChunks === true) this.#chunks.refill(arenas.flatMap((arena) => arena.give()));
  }

  async positions(): Promise<ReadonlyMap<number, StoredPosition>> {
    const answer = await this.#transport.read(
      `SELECT partition, generation, offset FROM positions FINAL ORDER BY partition, written_at DESC LIMIT 1 BY partition FORMAT JSONEachRow`,
    );
    const rows = jsonRows<{ partition: number; generation: string; offset: number | string }>(answer);
    return new Map(rows.map((row) => [row.partition, { ...row, offset: Number(row.offset) }]));
  }

  replay(partition: number, before: number, options: ReplayRange = {}): AsyncIterable<RecordRun> {
    return replay(this.#transport, { partition, from: options.from ?? 0, before, layout: touchLayout(options.fields, options.ids) });
  }

  async offsetSince(partition: number, at: number): Promise<number | null> {
    const answer = await this.#transport.read(
      `SELECT minOrNull(offset) AS first FROM touches
       WHERE partition = {partition:UInt16} AND appended_at >= fromUnixTimestamp64Milli({at:Int64}) FORMAT JSONEachRow`,
      { partition, at },
    );
    const first = jsonRows<{ first: number | string | null }>(answer)[0]?.first ?? null;
    return first === null ? null : Number(first);
  }

  accountRecords(
    partition: number,
    accountId: string,
    before: number,
    options: Pick<ReplayRange, 'fields' | 'ids'> = {},
  ): AsyncIterable<RecordRun> {
    return readAccountRecords(this.#transport, { partition, accountId, before, layout: touchLayout(options.fields, options.ids) });
  }

  async models(): Promise<readonly StoredModel[]> {
    const answer = await this.#transport.read(
      `SELECT partition, offset, toUnixTimestamp64Milli(appended_at) AS appendedAt, body FROM facts WHERE type = 'model' ORDER BY partition, offset LIMIT 1 BY partition, offset FORMAT JSONEachRow`,
    );
    const rows = jsonRows<{ partition: number; offset: number | string; appendedAt: number | string; body: string }>(answer);
    return rows.map(({ appendedAt, body, offset, partition }) => ({
      partition,
      offset: Number(offset),
      appendedAt: Number(appendedAt),
      model: scoringModelSchema.parse(JSON.parse(body)),
    }));
  }

  saveScores(rows: readonly ScoreRow[]): Promise<void> {
    return this.#insert(ACCOUNT_SCORES, rows);
  }

  timeline(accountId: string, limit: number, before?: TimelinePlace): Promise<readonly TimelineEntry[]> {
    return readTimeline(this.#transport, accountId, limit, before);
  }

  async history(accountId: string, from: number, to: number): Promise<readonly HistoryPoint[]> {
    const answer = await this.#transport.read(
      `SELECT toUnixTimestamp(hour) * 1000 AS hourMs, toUnixTimestamp64Milli(as_of) AS asOf, points, score, model_version AS modelVersion
       FROM score_history FINAL
       WHERE account_id = {accountId:String} AND hour >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND hour < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
       ORDER BY hour FORMAT JSONEachRow`,
      { accountId, from, to },
      { mayLag: true },
    );
    const rows = jsonRows<{ hourMs: number | string; asOf: number | string; points: number; score: number; modelVersion: string }>(answer);
    return rows.map(({ hourMs, asOf, ...rest }) => ({ hour: Number(hourMs), asOf: Number(asOf), ...rest }));
  }

  shownScores(accountId: string, at: number): Promise<ShownScores> {
    return readShownScores(this.#transport, accountId, at);
  }

  deadLetters(query: DeadLetterQuery): Promise<readonly StoredDeadLetter[]> {
    return findDeadLetters(this.#transport, query);
  }

  deadLettersAt(places: readonly DeadLetterPlace[]): Promise<readonly StoredDeadLetter[]> {
    return readDeadLetters(this.#transport, places);
  }

  saveReplays(places: readonly DeadLetterPlace[], replayedAt: number): Promise<void> {
    return this.#insert(
      DEAD_LETTER_REPLAYS,
      places.map((place) => ({ ...place, replayedAt })),
    );
  }

  ruleStates(partition: number, before: number): AsyncIterable<readonly RuleState[]> {
    return readRuleStates(this.#transport, partition, before);
  }

  contactRoles(partition: number, before: number): AsyncIterable<readonly StoredRole[]> {
    return readContactRoles(this.#transport, partition, before);
  }

  crossings(partition: number, ruleId: string): AsyncIterable<readonly StoredCrossing[]> {
    return readCrossings(this.#transport, partition, ruleId);
  }

  transitions(partition: number, from: number, before: number): AsyncIterable<readonly Transition[]> {
    return readTransitions(this.#transport, { partition, from, before });
  }

  alerts(query: AlertQuery): Promise<readonly StoredAlert[]> {
    return findAlerts(this.#transport, query);
  }

  alertCounts(since: number, until: number): Promise<readonly AlertCounts[]> {
    return countAlerts(this.#transport, since, until);
  }

  stageFigures(query: StageQuery): Promise<readonly StageFigures[]> {
    return readStageFigures(this.#transport, query);
  }

  stalledAccounts(query: StageQuery, most: number): Promise<readonly StalledStay[]> {
    return findStalled(this.#transport, query, most);
  }

  stalledStays(query: StageQuery & StalledPage): Promise<readonly StalledStay[]> {
    return listStalled(this.#transport, query);
  }

  attribution(query: Asked<'attribution'>): Answer<'attribution'> {
    return readAttribution(this.#transport, query);
  }

  creditedOpportunities(query: Asked<'creditedOpportunities'>): Answer<'creditedOpportunities'> {
    return readCredited(this.#transport, query);
  }

  opportunityTouches(query: Asked<'opportunityTouches'>): Answer<'opportunityTouches'> {
    return readOpportunityTouches(this.#transport, query);
  }

  influence(query: Asked<'influence'>): Answer<'influence'> {
    return readInfluence(this.#transport, query);
  }

  unstagedOpportunities(query: Asked<'unstagedOpportunities'>): Answer<'unstagedOpportunities'> {
    return countUnstaged(this.#transport, query);
  }

  hasTouches(): Promise<boolean> {
    return hasTouches(this.#transport);
  }

  influencedOpportunities(query: Asked<'influencedOpportunities'>): Answer<'influencedOpportunities'> {
    return readInfluenced(this.#transport, query);
  }

  outcomes(query: Asked<'outcomes'>): Answer<'outcomes'> {
    return readOutcomes(this.#transport, query);
  }

  qualifiedLeads(query: Asked<'qualifiedLeads'>): Answer<'qualifiedLeads'> {
    return readQualifiedLeads(this.#transport, query);
  }

  saveAlertAction(action: AlertAction): Promise<void> {
    return this.#insert(ALERT_ACTIONS_TAKEN, [action]);
  }

  async touchTotals(from: number, to: number): Promise<TouchTotals> {
    const answer = await this.#transport.read(
      `SELECT count() AS touches, sum(minutes) AS minutes FROM touches WHERE account_id != ''
         AND occurred_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND occurred_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
       FORMAT JSONEachRow`,
      { from, to },
      { mayLag: true },
    );
    const row = jsonRows<{ touches: number | string; minutes: number | string }>(answer)[0];
    return { touches: Number(row?.touches ?? 0), minutes: Number(row?.minutes ?? 0) };
  }

  async apiKeys(): Promise<readonly ApiKeyRow[]> {
    const answer = await this.#transport.read(
      `SELECT id, name, hash, scopes, toUnixTimestamp64Milli(created_at) AS createdAt, toUnixTimestamp64Milli(revoked_at) AS revokedAt
       FROM api_keys FINAL ORDER BY created_at, id FORMAT JSONEachRow`,
    );
    const rows = jsonRows<Omit<ApiKeyRow, 'createdAt' | 'revokedAt'> & { createdAt: number | string; revokedAt: number | string }>(answer);
    return rows.map((row) => ({ ...row, createdAt: Number(row.createdAt), revokedAt: Number(row.revokedAt) || null }));
  }

  saveApiKey(row: ApiKeyRow): Promise<void> {
    return this.#insert(API_KEYS, [row]);
  }

  endpoints(): Promise<readonly EndpointRow[]> {
    return readEndpoints(this.#transport);
  }

  saveEndpoint(row: EndpointRow): Promise<void> {
    return this.#insert(ENDPOINTS, [row]);
  }

  saveDeliveries(rows: readonly DeliveryRow[]): Promise<void> {
    return this.#insert(DELIVERIES, rows);
  }

  deliveries(query: DeliveryQuery): Promise<readonly DeliveryRow[]> {
    return findDeliveries(this.#transport, query);
  }

  deliveriesOf(id: string): Promise<readonly DeliveryRow[]> {
    return readDeliveriesOf(this.#transport, id);
  }

  pendingDeliveries(query: PendingQuery): Promise<readonly DeliveryRow[]> {
    return readPending(this.#transport, query);
  }

  pendingCounts(partitions: readonly number[], from: number): Promise<ReadonlyMap<string, number>> {
    return countPending(this.#transport, partitions, from);
  }

  heldDeliveries(takenBefore: number, limit: number): Promise<readonly DeliveryRow[]> {
    return readHeld(this.#transport, takenBefore, limit);
  }

  knownDeliveries(keys: readonly DeliveryKey[]): Promise<readonly DeliveryKey[]> {
    return readKnown(this.#transport, keys);
  }

  toldCounts(endpointIds: readonly string[], takenFrom: number): Promise<readonly OwnerCount[]> {
    return countTold(this.#transport, endpointIds, takenFrom);
  }

  accountFacts(accountIds: readonly string[]): Promise<ReadonlyMap<string, AccountFact>> {
    return readAccountFacts(this.#transport, accountIds);
  }

  hasActionNoted(alertId: string, note: string): Promise<boolean> {
    return hasActionNoted(this.#transport, alertId, note);
  }

  measureKpi(query: KpiQuery): Promise<Measured> {
    return measureKpi(this.#transport, query);
  }

  kpiTargets(): Promise<readonly KpiTarget[]> {
    return readKpiTargets(this.#transport);
  }

  saveKpiTarget(target: KpiTarget): Promise<void> {
    return this.#insert(KPI_TARGETS, [target]);
  }

  ping(): Promise<void> {
    return this.#transport.ping();
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  #insert<Row>(table: Table<Row>, rows: readonly Row[]): Promise<void> {
    return insertRows(this.#transport, table, rows);
  }
}

function arenaOf({ partition, touches }: Checkpoint): TouchRowArena {
  if (!(touches instanceof TouchRowArena)) throw new TypeError('The touches of a checkpoint come from touchRows()');
  if (touches.partition !== partition) throw new TypeError(`Touches of partition ${touches.partition} in a checkpoint of ${partition}`);
  return touches;
}
