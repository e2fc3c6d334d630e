import { BACKLOG_DAYS, PARTITIONS, type BenchContext } from '../bench-context.ts';
import { figure, type Section } from '../figures.ts';
import { runTask } from '../start-task.ts';

/** What ledgers take in memory. */
export async function benchMemory({ sizes }: BenchContext): Promise<Section> {
  const { accounts, backlog, contacts, memoryItems } = sizes;
  const memory = await runTask('measureLedgers', {
    accounts,
    contacts,
    seed: 1,
    items: memoryItems,
    touches: backlog,
    partitions: PARTITIONS,
    days: BACKLOG_DAYS,
  });
  const { bytes, contacts: seen } = memory.traffic;
  const whole = `${backlog.toLocaleString('en-GB')} touches of ${seen.toLocaleString('en-GB')} contacts`;
  return {
    title: 'Memory of the ledgers',
    text:
      'The engine alone: array buffers and heap after a collection, for shapes that have many of one thing and few of the others, in eight ' +
      'sizes over one doubling, because columns and tables grow in steps. Names are included: ids of accounts have 13 characters here, of ' +
      `contacts 10 to 20. Below, ledgers of ${BACKLOG_DAYS} days of traffic with all they have.`,
    figures: [
      figure('an account', 'bytes', memory.account),
      figure('a contact', 'bytes', memory.contact),
      figure('a day and kind with touches, per account', 'bytes', memory.dayCell),
      figure('an hour and kind with touches, per account', 'bytes', memory.hourCell),
      figure('an id remembered for 48 hours', 'bytes', memory.rememberedId),
      figure('a daily cap in use, per contact, rule and day', 'bytes', memory.capCount),
      figure(whole, 'MB', [bytes / 2 ** 20]),
      figure(`${whole}: for each contact, everything included`, 'bytes', [bytes / seen]),
      figure(`${whole}: for each touch, everything included`, 'bytes', [bytes / backlog]),
    ],
  };
}
