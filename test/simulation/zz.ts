import { simulateSeed } from './simulate-seed.ts';
import { System } from './system.ts';
import { drawOptions } from './options.ts';
import { makeWork } from './workload.ts';
import { createRandom } from '../support/random.ts';
import { modelWithRules } from './rules.ts';
import { Database, stepKey } from './database.ts';
import { LogRun, encodeClockTick } from '@touchstone/codec';
import { RecordReader } from '@touchstone/event-log';
import { OUTCOME, PartitionLedgers } from '@touchstone/engine';
import { isDeepStrictEqual } from 'node:util';
const [from, count, cutsWanted] = process.argv.slice(2).map(Number);
let cuts = 0, bad = 0, alerts = 0;
for (let seed = from!; seed < from! + count!; seed++) {
  const options = { ...drawOptions(seed), hasRules: true, models: 0, logClockBackRate: 0, disaster: null };
  const work = makeWork(options, createRandom(~seed));
  const system = new System(options, work[0]!.appendedAt);
  const model = modelWithRules(createRandom(seed ^ 0x5eed));
  const random = createRandom(seed * 7);
  for (const { appendedAt, records } of work) {
    system.calendar.advanceTo(appendedAt);
    for (const appended of system.broker.append('events', records)) system.expected[appended.partition.index]!.add(appended);
    if (random.chance(0.05)) { // ticks later
      system.calendar.advanceTo(system.calendar.now() + random.whole(1, random.pick([3.6e6, 8.64e7, 10 * 8.64e7])));
      const value = encodeClockTick({ writtenAt: system.calendar.now(), fleetGrowth: random.chance(0.3) ? random() * 3 : null });
      for (const appended of system.broker.append('events', Array.from({ length: options.partitions }, (_, partition) => ({ key: null, value, partition })))) system.expected[appended.partition.index]!.add(appended);
    }
  }
  for (const one of system.expected) {
    const end = one.outcomes.length;
    alerts += one.transitions.length;
    for (let n = 0; n < cutsWanted!; n++) {
      const cut = random.whole(1, end);
      cuts++;
      const observer: any = { contradicted() {}, positioned() {}, scored() {}, deadLettered() {} };
      const db = new Database(observer);
      db.insertTransitions(one.transitions.filter(({ offset }) => offset < cut));
      const ledgers = new PartitionLedgers(one.partition, model, options.dedupeHorizonMs);
      const run = new LogRun<any>(one.partition, new RecordReader());
      let restored = false;
      const transitions: any[] = [];
      for (const block of one.blocks) {
        run.open(block);
        while (run.next()) {
          if (run.offset < cut) {
            const o = one.outcomes[run.offset];
            if (o === OUTCOME.counted || o === OUTCOME.unresolved || o === OUTCOME.fact || o === OUTCOME.model || one.growthAt.has(run.offset)) ledgers.take(run, true);
            continue;
          }
          if (!restored) { ledgers.settle(); ledgers.position = cut; ledgers.alerts.restore(db.ruleStates(one.partition, cut)); restored = true; }
          ledgers.take(run, false);
        }
        ledgers.settle();
        transitions.push(...ledgers.alerts.takeTransitions());
      }
      const wanted = one.transitions.filter(({ offset }) => offset >= cut);
      const i = wanted.findIndex((w, k) => !isDeepStrictEqual(w, transitions[k]));
      if (i >= 0 || wanted.length !== transitions.length) {
        bad++;
        if (bad <= 12) console.log('seed', seed, 'partition', one.partition, 'cut', cut, 'of', end, '\n  wanted', JSON.stringify(wanted[i >= 0 ? i : wanted.length])?.slice(0, 900), '\n  got   ', JSON.stringify(transitions[i >= 0 ? i : wanted.length])?.slice(0, 900));
      }
    }
  }
}
console.log(cuts, 'cuts', bad, 'bad', alerts, 'transitions');
