import { defaultModel } from '@touchstone/engine';
import { EVENTS_TOPIC } from '@touchstone/event-log';
import { sleep } from '@touchstone/runtime';
import type { Appended } from './broker.ts';
import type { Host } from './host.ts';
import type { Link } from './link.ts';
import type { System } from './system.ts';
import type { Work, WorkRecord } from './workload.ts';

interface Producer {
  readonly host: Host;
  readonly link: Link;
  readonly onAppended: (appended: Appended) => void;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type Surroundings = Pick<System, 'broker' | 'calendar' | 'random' | 'counts' | 'options'>;

/**
 * Appends the work, one batch after another, each until it is acknowledged: what was taken without the producer hearing of it stands on the log
 * twice.
 */
export async function produce(work: readonly Work[], system: Surroundings, producer: Producer): Promise<void> {
  const { host } = producer;
  const { counts, options, random } = system;
  for (const { appendedAt, at, records } of work) {
    if (at > host.elapsed()) await sleep(host, at - host.elapsed());
    await appendSurely(records, appendedAt, system, producer);
    if (!random.chance(options.resendRate)) continue;
    counts.add('batch sent twice');
    await appendSurely(records, appendedAt, system, producer);
  }
}

async function appendSurely(records: readonly WorkRecord[], appendedAt: number, system: Surroundings, producer: Producer): Promise<void> {
  const { broker, calendar, counts, options, random } = system;
  const { host, link, onAppended } = producer;
  const take = (taken: readonly WorkRecord[]): void => {
    calendar.advanceTo(appendedAt);
    const skipped = random.chance(options.offsetsSkippedRate) ? random.whole(1, 3) : 0;
    const backMs = options.logClockBackRate > 0 && random.chance(options.logClockBackRate) ? random.whole(1, HOUR_MS) : 0;
    if (backMs > 0) counts.add('log clock set back');
    const now = Math.max(appendedAt, calendar.now());
    const letIn = taken.filter((record) => isLetIn(record, now));
    for (const appended of broker.append(EVENTS_TOPIC, letIn, now - backMs, skipped)) onAppended(appended);
  };
  for (;;) {
    try {
      await link.call(
        () => take(records),
        () => take(records.filter(({ partition }) => partition === 0 || partition === undefined)),
      );
      return;
    } catch {
      await sleep(host, 100);
    }
  }
}

/** Sent again days later, a touch may be older than the API takes. */
function isLetIn({ entry }: WorkRecord, now: number): boolean {
  return entry === null || 'type' in entry || entry.occurredAt >= now - defaultModel.retentionDays * DAY_MS;
}
