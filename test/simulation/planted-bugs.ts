/** A mistake somebody could make: in one file one piece of code, which must stand there exactly once, becomes another. */
export interface PlantedBug {
  /** From the root of the repository. */
  readonly file: string;
  readonly code: string;
  readonly becomes: string;
}

const AGGREGATOR = 'services/aggregator/src/aggregator.ts';
const CHECKPOINTER = 'services/aggregator/src/checkpointer.ts';
const INTAKE = 'services/aggregator/src/intake.ts';
const BLOCK_TAIL = 'services/aggregator/src/block-tail.ts';
const ALERTS = 'services/aggregator/src/publish-alerts.ts';
const PUBLISHER = 'services/aggregator/src/publish-scores.ts';
const RESCORE = 'services/aggregator/src/rescore.ts';
const RESTORER = 'services/aggregator/src/partition-restorer.ts';
const READINESS = 'services/aggregator/src/readiness-of.ts';
const FIND_START = 'packages/recovery/src/find-start.ts';
const START_STATE = 'packages/recovery/src/start-state.ts';
const RECENT_IDS = 'packages/engine/src/columns/recent-ids.ts';
const LEDGERS = 'packages/engine/src/ledgers.ts';

/** What the simulator must find; that it does is the proof that it can. */
export const PLANTED_BUGS = {
  'publishes-without-owning': {
    file: AGGREGATOR,
    code: 'intake.isModelCurrent && this.#subscription?.owns(partition) === true',
    becomes: 'intake.isModelCurrent',
  },
  'publishes-before-caught-up': {
    file: INTAKE,
    code: 'return this.ledgers.position >= this.heldUntil;',
    becomes: 'return true;',
  },
  'publishes-under-a-former-model': { file: AGGREGATOR, code: 'intake.isCaughtUp && intake.isModelCurrent', becomes: 'intake.isCaughtUp' },
  'reused-ledgers-are-not-held': { file: RESTORER, code: 'kept.heldUntil = end;', becomes: '' },
  'reuses-ledgers-of-another-model': {
    file: RESTORER,
    code: '    kept.ledgers.model.version === model.version\n',
    becomes: '    true\n',
  },
  'commits-what-was-left-out': { file: CHECKPOINTER, code: 'out.intersection(published).intersection(told)', becomes: 'out' },
  'commits-before-it-stores': {
    file: CHECKPOINTER,
    code: 'if (cut.length > 0) await store.checkpoint(cut);\n    this.#failedCut = [];',
    becomes:
      'for (const { partition, offset } of cut) this.#uncommitted.set(partition, offset);\n    await this.#commit(out);\n' +
      '    if (cut.length > 0) await store.checkpoint(cut);\n    this.#failedCut = [];',
  },
  'commits-while-a-model-is-awaited': {
    file: INTAKE,
    code: 'return isAwaited || this.#hasUncutTakeover ||',
    becomes: 'return (isAwaited && this.#hasUncutTakeover) ||',
  },
  'forgets-to-commit-what-it-took-up': { file: AGGREGATOR, code: 'this.#checkpointer.remember(partition, stored);', becomes: '' },
  'drops-a-failed-cut': { file: CHECKPOINTER, code: 'this.#failedCut = cut;', becomes: '' },
  'drops-scores-that-failed-to-go-out': {
    file: PUBLISHER,
    code: 'for (const change of [...next, ...changes.slice(from + SCORES_PER_APPEND)]) putBack(change);',
    becomes: '',
  },
  'drops-scores-that-failed-to-be-saved': { file: CHECKPOINTER, code: 'publisher.keep(scores);', becomes: '' },
  'publishes-one-offset-too-few-at-start': {
    file: RESTORER,
    code: 'accounts.version[account]! >= publishedBelow',
    becomes: 'accounts.version[account]! > publishedBelow',
  },
  'trusts-commits-made-under-another-model': {
    file: START_STATE,
    code: 'return this.modelPublished(partition) === model.version ? this.#committedOffset(partition) : 0;',
    becomes: 'return model === null ? 0 : this.#committedOffset(partition);',
  },
  'stores-dead-letters-before-their-topic-has-them': {
    file: CHECKPOINTER,
    code: 'await publishDeadLetters(cut);',
    becomes: 'publishDeadLetters(cut).catch(() => {});',
  },
  'stores-the-position-before-the-cut': { file: INTAKE, code: 'offset: position,', becomes: 'offset: position + 1,' },
  'does-not-store-models': {
    file: INTAKE,
    code: "this.#facts.push({ partition: this.partition, offset, appendedAt, fact: { type: 'model', model } });",
    becomes: '',
  },
  'applies-again-what-is-handed-over-again': { file: INTAKE, code: 'if (run.offset < this.ledgers.position) continue;', becomes: '' },
  'skips-one-record-too-many': {
    file: INTAKE,
    code: 'if (run.offset < this.ledgers.position) continue;',
    becomes: 'if (run.offset <= this.ledgers.position && run.offset > 0 && run.offset === block.baseOffset) continue;',
  },
  'forgets-ids-at-a-restart': {
    file: RECENT_IDS,
    code: 'current.remember(slot, low, high, now);',
    becomes: 'if (!force) current.remember(slot, low, high, now);',
  },
  'reads-the-wall-clock': {
    file: LEDGERS,
    code: 'const now = run.appendedAt > this.now ? run.appendedAt : this.now;',
    becomes: 'const now = Date.now();',
  },
  'counts-repeats-at-a-takeover': {
    file: BLOCK_TAIL,
    code: '|| this.#passedOver.has(run.offset)',
    becomes: '',
  },
  'counts-from-memory-that-is-lent': {
    file: BLOCK_TAIL,
    code: 'bytes: block.bytes.slice()',
    becomes: 'bytes: block.bytes',
  },
  'takes-a-tail-for-whole': {
    file: RESCORE,
    code: 'while (rescored.some((one) => one.failsToShare() || one.missing > 0)) records += await catchUp(rescored, options);',
    becomes: '',
  },
  'takes-over-partitions-that-moved': {
    file: AGGREGATOR,
    code: "if (this.#isStopping || this.#moves !== moves || this.#awaited.size > 0) throw new Superseded('other partitions are held by now');",
    becomes: '',
  },
  'misses-a-model-when-a-partition-leaves': {
    file: AGGREGATOR,
    code: 'was not restored.\n    this.#rescoreIfPublished();',
    becomes: 'was not restored.\n',
  },
  'stays-ready-with-new-partitions': {
    file: READINESS,
    code: 'const isWhole = awaited === 0 && [...assigned].every((partition) => intakes.has(partition));',
    becomes: 'const isWhole = true;',
  },
  'gathers-without-bound': {
    file: AGGREGATOR,
    code: 'while (this.#pendingBytes() > pendingBytesMax && isHeld()) {',
    becomes: 'while (isHeld() && this.#isStopping) {',
  },
  'takes-a-topic-made-anew-for-the-same': {
    file: FIND_START,
    code: 'if (stored !== undefined && stored.generation !== generation) {',
    becomes: 'if (stored === null) {',
  },
  'passes-over-swept-records': {
    file: FIND_START,
    code: 'if (offset < start) {',
    becomes: 'if (offset < start) return start;\n  if (offset < start) {',
  },
  'stores-alerts-before-they-are-told': {
    file: CHECKPOINTER,
    code: 'const told = await alerts.publish();',
    becomes: 'const told = out;\n    alerts.publish().catch(() => {});',
  },
  'commits-before-alerts-are-told': { file: CHECKPOINTER, code: '.intersection(told)', becomes: '' },
  'drops-alerts-that-failed-to-be-told': {
    file: ALERTS,
    code: 'const alerts = some.map(({ alert }) => alert);',
    becomes: 'const alerts = some.map(({ alert }) => alert);\n      if (some.length > 0) untold.dropThrough(some.at(-1)!.number);',
  },
  'tells-alerts-without-owning': { file: ALERTS, code: 'if (!mayTell(partition)) return false;', becomes: '' },
  'forgets-what-a-former-life-has-not-told': {
    file: RESTORER,
    code: 'if (told < position) intake.untold.stored = { from: told, before: position };',
    becomes: '',
  },
  'does-not-restore-rule-states': { file: RESTORER, code: 'ledgers.alerts.restore(states);', becomes: '' },
  'restores-rule-states-beyond-the-position': {
    file: RESTORER,
    code: 'this.#options.store.ruleStates(ledgers.partition, before)',
    becomes: 'this.#options.store.ruleStates(ledgers.partition, Infinity)',
  },
  'does-not-store-growth': {
    file: INTAKE,
    code: "this.#facts.push({ partition: this.partition, offset, appendedAt, fact: { type: 'tick', tick } });",
    becomes: '',
  },
} as const satisfies Record<string, PlantedBug>;

export type BugName = keyof typeof PLANTED_BUGS;
