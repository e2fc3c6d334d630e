import { LogRun, type FramedBlock, type FramedRecords } from '@touchstone/codec';
import type { LogEntry } from '@touchstone/testkit';
import { recordOf } from '../../support/read-events.ts';
import type { Message } from './kafka-client.ts';

/** A message is a block of one record, and needs no framing. */
class OneRecord implements FramedRecords<FramedBlock> {
  offset = -1;
  readonly keyStart = -1;
  readonly keyEnd = -1;
  readonly valueStart = 0;
  valueEnd = 0;
  #isRead = true;

  open({ bytes }: FramedBlock): void {
    this.valueEnd = bytes.length;
    this.#isRead = false;
  }

  next(): boolean {
    const isNew = !this.#isRead;
    this.#isRead = true;
    return isNew;
  }
}

/** What the messages of `events` say, in the order given; what can't be read counts for nobody and is left out. */
export function logEntries(messages: readonly Message[]): LogEntry[] {
  const record = new OneRecord();
  const run = new LogRun(0, record);
  return messages.flatMap(({ partition, offset, appendedAt, value }) => {
    run.open({ appendedAt, bytes: value ?? Buffer.alloc(0) });
    run.next();
    const said = recordOf(run);
    return said === null ? [] : [{ partition, offset, appendedAt, record: said }];
  });
}
