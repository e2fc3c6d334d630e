import { OUTCOME, type ClockTick, type PartitionLedgers, type ReplayTarget, type ScoringModel, type Transition } from '@touchstone/engine';
import type { RecordBlock } from '@touchstone/event-log';
import type { Checkpoint, DeadLetter, Store, StoredFact, TouchRows } from '@touchstone/store';
import { AlertQueue, bytesOf } from './alert-queue.ts';
import { AlertStandings } from './alert-standings.ts';
import { BlockTail } from './block-tail.ts';
import type { BlockRun } from './scoring-job.ts';

/** What the records of a block came to. */
export interface BlockOutcome {
  counted: number;
  unresolved: number;
  duplicates: number;
  facts: number;
  models: number;
  ticks: number;
  /** Entries that a cooldown held back. */
  heldBack: number;
  readonly setAside: readonly DeadLetter[];
}

/** What a fact takes besides its text. */
const FACT_BYTES = 300;

export interface IntakeOptions {
  /** Reads the partition's blocks. */
  readonly run: BlockRun;
  readonly store: Pick<Store, 'touchRows'>;
  readonly ledgers: PartitionLedgers;
  readonly generation: string;
  /** Models the partition has got below its position, oldest first. */
  readonly models: readonly ScoringModel[];
  /** Where the log ended when the partition was taken up. */
  readonly heldUntil: number;
  /** Version of the model under which readers know the scores. */
  readonly modelPublished: string;
  /** Default: no account stands anywhere yet. */
  readonly standings?: AlertStandings;
}

/**
 * One partition on its way from the log into its ledgers: applies blocks, and gathers what the next checkpoint has to store. `position` and
 * what is gathered always belong together: a cut takes both in one step.
 */
export class Intake {
  readonly partition: number;
  readonly generation: string;
  ledgers: PartitionLedgers;
  /** Models this partition has got, oldest first. */
  readonly models: ScoringModel[];
  /**
   * Readers may have seen versions up to here, from a former owner or life: what is applied below is older than what they know, so nothing of
   * the partition is published before.
   */
  heldUntil: number;
  /**
   * All that is committed was published under this model. Under one before it nothing is published: whoever takes the partition up next under
   * this model takes the scores for published, and readers would be left with the former ones.
   */
  modelPublished: string;
  /** Alerts that are not on their topic yet. */
  readonly untold = new AlertQueue();
  readonly standings: AlertStandings;
  /** The last tick applied here. */
  lastTick: ClockTick | null = null;
  readonly #store: Pick<Store, 'touchRows'>;
  readonly #run: BlockRun;
  #touches: TouchRows;
  #facts: StoredFact[] = [];
  #deadLetters: DeadLetter[] = [];
  #transitions: Transition[] = [];
  /** Another model has taken over, and what that came to is not in a cut yet. */
  #hasUncutTakeover = false;
  #factBytes = 0;
  #deadBytes = 0;
  #transitionBytes = 0;
  #cutAt: number;
  #tail: BlockTail | null = null;

  constructor({ generation, heldUntil, ledgers, modelPublished, models, run, standings, store }: IntakeOptions) {
    this.heldUntil = heldUntil;
    this.modelPublished = modelPublished;
    this.partition = ledgers.partition;
    this.ledgers = ledgers;
    this.generation = generation;
    this.models = [...models];
    this.standings = standings ?? new AlertStandings();
    this.#store = store;
    this.#run = run;
    this.#touches = store.touchRows(this.partition);
    this.#cutAt = ledgers.position;
  }

  get isCaughtUp(): boolean {
    return this.ledgers.position >= this.heldUntil;
  }

  /** Whether scores under the model of the ledgers are no step back for readers. */
  get isModelCurrent(): boolean {
    const placeOf = (version: string): number => this.models.findLastIndex((model) => model.version === version);
    return placeOf(this.ledgers.model.version) >= placeOf(this.modelPublished);
  }

  /** A model has arrived, and the scores under it, its effect, are not out; or it has taken over, and what that comes to is not known, or not cut. */
  get owesEffects(): boolean {
    const isAwaited = this.models.length > 0 && this.models.at(-1)!.version !== this.ledgers.model.version;
    return isAwaited || this.#hasUncutTakeover || this.ledgers.alerts.owesLooks;
  }

  /** Bytes gathered for the next checkpoint, about. */
  get pendingBytes(): number {
    return this.#touches.byteLength + this.#factBytes + this.#deadBytes + this.#transitionBytes;
  }

  apply(block: RecordBlock): BlockOutcome {
    const run = this.#run;
    const outcome = { counted: 0, unresolved: 0, duplicates: 0, facts: 0, models: 0, ticks: 0, heldBack: 0, setAside: [] as DeadLetter[] };
    const tail = this.#tail;
    run.open(block);
    while (run.next()) {
      // A block may be handed over again after a move: its records count once.
      if (run.offset < this.ledgers.position) continue;
      switch (this.ledgers.take(run, false)) {
        case OUTCOME.counted:
          outcome.counted++;
          this.#touches.add(run.offset, run.appendedAt, run.touch);
          break;
        case OUTCOME.unresolved:
          outcome.unresolved++;
          this.#touches.add(run.offset, run.appendedAt, run.touch);
          break;
        case OUTCOME.duplicate:
          outcome.duplicates++;
          tail?.passOver(run.offset);
          break;
        case OUTCOME.fact:
          outcome.facts++;
          this.#factBytes += run.value.length + FACT_BYTES;
          this.#facts.push({ partition: this.partition, offset: run.offset, appendedAt: run.appendedAt, fact: run.fact! });
          break;
        case OUTCOME.model:
          outcome.models++;
          this.#factBytes += run.value.length + FACT_BYTES;
          this.#takeModel(run.offset, run.appendedAt, run.model!);
          break;
        case OUTCOME.tick:
          outcome.ticks++;
          this.#takeTick(run.offset, run.appendedAt, run.tick!);
          break;
        case OUTCOME.setAside:
          outcome.setAside.push(this.#setAside());
          tail?.passOver(run.offset);
      }
    }
    tail?.add(block);
    this.ledgers.settle();
    outcome.heldBack = this.#gatherTransitions();
    // A block may end in offsets that hold no record, such as the marks of other producers' transactions: they are passed too.
    this.ledgers.position = Math.max(this.ledgers.position, block.nextOffset);
    return outcome;
  }

  /** From here on what is applied is kept, while it is no more than so many bytes, to be applied to something else as well: until `dropTail`. */
  keepTail(bytesMax: number): void {
    this.#tail = new BlockTail(bytesMax);
  }

  dropTail(): void {
    this.#tail = null;
  }

  /**
   * Applies what is kept, from the target's position on.
   * @returns how many records
   */
  replayTail(target: ReplayTarget): number {
    return this.#tail?.replayInto(target, this.#run) ?? 0;
  }

  /** What has gathered since the last cut, or null when no record came. */
  cut(): Checkpoint | null {
    const { position } = this.ledgers;
    if (position === this.#cutAt && this.#transitions.length === 0) return null;
    const cut: Checkpoint = {
      partition: this.partition,
      generation: this.generation,
      offset: position,
      touches: this.#touches,
      facts: this.#facts,
      deadLetters: this.#deadLetters,
      transitions: this.#transitions,
    };
    this.#cutAt = position;
    this.#touches = this.#store.touchRows(this.partition);
    this.#facts = [];
    this.#factBytes = 0;
    this.#deadLetters = [];
    this.#deadBytes = 0;
    this.#transitions = [];
    this.#transitionBytes = 0;
    this.#hasUncutTakeover = false;
    return cut;
  }

  /**
   * Another model is in force in the ledgers: takes up what that came to so far. Until that is cut no position is committed beyond the model's record:
   * by that, whoever takes the partition up next knows that all accounts are to be looked at under the model.
   * @returns how many entries are held back
   */
  takeOver(): number {
    const heldBack = this.#gatherTransitions();
    this.#hasUncutTakeover = this.#transitions.length > 0;
    return heldBack;
  }

  #gatherTransitions(): number {
    let heldBack = 0;
    for (const transition of this.ledgers.alerts.takeTransitions()) {
      const bytes = bytesOf(transition);
      this.#transitions.push(transition);
      this.#transitionBytes += bytes;
      this.standings.take(transition);
      if (!transition.isHeld) this.untold.add(transition, bytes);
      else if (transition.alert.direction === 'up') heldBack++;
    }
    return heldBack;
  }

  #takeModel(offset: number, appendedAt: number, model: ScoringModel): void {
    this.models.push(model);
    this.#facts.push({ partition: this.partition, offset, appendedAt, fact: { type: 'model', model } });
  }

  /** Growth stays in force until the next tick brings another, so a replay needs it; that time has passed it knows from what came after. */
  #takeTick(offset: number, appendedAt: number, tick: ClockTick): void {
    this.lastTick = tick;
    if (tick.fleetGrowth === null) return;
    this.#factBytes += FACT_BYTES;
    this.#facts.push({ partition: this.partition, offset, appendedAt, fact: { type: 'tick', tick } });
  }

  #setAside(): DeadLetter {
    const { offset, appendedAt, poison, touch } = this.#run;
    const ahead = `occurredAt ${new Date(touch.occurredAt).toISOString()} is over an hour ahead of its append at ${new Date(appendedAt).toISOString()}`;
    const { reason, detail } = poison ?? { reason: 'in_the_future' as const, detail: ahead };
    // Copies also of a Buffer, whose own `slice` is a view: the memory of the block may be filled again before the letter is stored.
    const key = this.#run.key && new Uint8Array(this.#run.key);
    const value = new Uint8Array(this.#run.value);
    const deadLetter: DeadLetter = { partition: this.partition, offset, appendedAt, reason, detail, key, value };
    this.#deadLetters.push(deadLetter);
    this.#deadBytes += value.length + (key?.length ?? 0) + 200;
    return deadLetter;
  }
}
