import { decodeAccountScore, isPoison, type AccountScore } from '@touchstone/codec';
import { RecordReader, SCORES_TOPIC, type RecordBlock } from '@touchstone/event-log';
import type { ModelLog } from './model-log.ts';
import type { Watcher } from './watcher.ts';

/** Follows the scores as a reader without a group does: of an account the higher version counts, then the later asOf, then the later record. */
export class ScoreReader {
  readonly latest = new Map<string, AccountScore>();
  readonly #watcher: Watcher;
  readonly #records = new RecordReader();

  constructor(watcher: Watcher) {
    this.#watcher = watcher;
  }

  async start(log: ModelLog): Promise<void> {
    await log.subscribe({
      topic: SCORES_TOPIC,
      group: null,
      onAssigned: () => 0,
      onBlock: (block) => this.#read(block),
      onFailed: (cause) => this.#watcher.violate(`the reader of scores failed: ${String(cause)}`),
    });
  }

  #read(block: RecordBlock): void {
    const records = this.#records.open(block);
    while (records.next()) {
      const score = decodeAccountScore(block.bytes, records.valueStart, records.valueEnd);
      if (isPoison(score)) {
        this.#watcher.violate(`a score can not be read: ${score.detail}`);
        continue;
      }
      const known = this.latest.get(score.accountId);
      const isOlder =
        known !== undefined && (score.version < known.version || (score.version === known.version && score.asOf < known.asOf));
      if (!isOlder) this.latest.set(score.accountId, score);
    }
  }
}
