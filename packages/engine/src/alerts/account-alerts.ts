import { createHash } from 'node:crypto';
import type { ScoringModel } from '../model.ts';
import type { ClockTick } from '../record.ts';
import type { Alert, RuleState, Transition } from './alert.ts';

const HELD_MS = 3_600_000;
const COOLDOWN_MS = 4 * HELD_MS;

/** Stands in until rules are evaluated: a meeting makes an account hot, for an hour. */
export class AccountAlerts {
  readonly #states = new Map<string, RuleState>();
  readonly #model: () => ScoringModel;
  readonly #partition: number;
  fleetGrowth = 1;
  #transitions: Transition[] = [];

  constructor(partition: number, model: () => ScoringModel) {
    this.#partition = partition;
    this.#model = model;
  }

  get hasRules(): boolean {
    return this.#model().thresholds.length > 0;
  }

  takeTransitions(): Transition[] {
    return this.#transitions.splice(0);
  }

  restore(states: Iterable<RuleState>): void {
    for (const state of states) this.#states.set(state.accountId, state);
  }

  nextDueAt(): number {
    let due = Infinity;
    for (const { isIn, since } of this.#states.values()) if (isIn) due = Math.min(due, since + HELD_MS);
    return due;
  }

  states(): Iterable<RuleState> {
    return this.#states.values();
  }

  evaluateAll(): void {}

  tick(tick: ClockTick): void {
    this.fleetGrowth = tick.fleetGrowth ?? this.fleetGrowth;
  }

  advance(now: number, offset: number): void {
    if (!this.hasRules) return;
    const due = [...this.#states.values()].filter(({ isIn, since }) => isIn && since + HELD_MS <= now);
    due.sort((one, other) => one.since - other.since || (one.accountId < other.accountId ? -1 : 1));
    for (const state of due) this.#step(state, false, state.since + HELD_MS, offset, 'decay');
  }

  meet(accountId: string, now: number, offset: number): void {
    if (!this.hasRules) return;
    const state = this.#states.get(accountId);
    if (state?.isIn) return;
    const none = { accountId, ruleId: 'hot', step: 0, episode: 0, isIn: false, isHeld: false, lastUpAt: null, since: 0, heldBack: 0, stage: null };
    this.#step(state ?? none, true, now, offset, 'touch');
  }

  #step(state: RuleState, isIn: boolean, at: number, offset: number, cause: Alert['cause']): void {
    const { accountId, ruleId } = state;
    const isHeld = isIn ? state.lastUpAt !== null && at < state.lastUpAt + COOLDOWN_MS : state.isHeld;
    const episode = isIn && !isHeld ? state.episode + 1 : state.episode;
    const step = state.step + 1;
    const heldBack = isHeld && isIn ? state.heldBack + 1 : state.heldBack;
    this.#states.set(accountId, {
      ...state,
      step,
      episode,
      isIn,
      isHeld,
      since: at,
      lastUpAt: isIn && !isHeld ? at : state.lastUpAt,
      heldBack: isHeld ? heldBack : 0,
    });
    const direction = isIn ? 'up' : 'down';
    const id = `alr_${createHash('sha256').update(JSON.stringify([accountId, episode, direction])).digest('hex').slice(0, 32)}`;
    const alert: Alert = {
      id,
      type: isIn ? 'account.threshold.crossed' : 'account.threshold.recovered',
      accountId,
      partition: this.#partition,
      version: offset,
      modelVersion: this.#model().version,
      ruleId,
      episode: Math.max(1, episode),
      direction,
      at,
      metric: 'kind.meeting.24h',
      threshold: 1,
      previousValue: null,
      currentValue: this.fleetGrowth,
      previousStage: null,
      currentStage: null,
      cause,
      late: false,
      heldBack,
      owner: null,
      engagedContacts: 0,
      coverage: null,
      missingRoles: [],
      reasons: [],
      touch: null,
      met: [],
      missing: [],
    };
    this.#transitions.push({ step, offset, isHeld, alert });
  }
}
