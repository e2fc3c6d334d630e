import { parseArgs } from 'node:util';
import { median, numberText, spreadText } from '../figures.ts';
import { runTask } from '../start-task.ts';
import { limitOf, PARTS, type Part } from './parts.ts';

/**
 * Fails when a part has become about half as fast as it was: `node test/bench/guard/main.ts [--only NAME,...] [--times N] [--slowness FACTOR]`.
 * Nothing is compared with a time: each part is measured beside a yardstick of the same minute, and the two as a ratio with `parts.ts`.
 * `--times 5` prints what to write there as usual; `--slowness 2.5` must be red everywhere. Takes about a minute; loads 127.0.0.1 alone.
 */

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: PARTS.map(({ name }) => name).join() },
    times: { type: 'string', default: '1' },
    slowness: { type: 'string', default: '1' },
  },
});

async function measure(part: Part): Promise<number[]> {
  const ratios: number[] = [];
  for (let time = 0; time < Number(options.times); time++) {
    ratios.push(await runTask('runPart', { name: part.name, slowness: Number(options.slowness) }));
  }
  return ratios;
}

for (const part of PARTS.filter(({ name }) => options.only.split(',').includes(name))) {
  const ratios = await measure(part);
  const limit = limitOf(part);
  const slow = ratios.filter((ratio) => ratio < limit).length;
  if (slow > 0) process.exitCode = 1;
  const spread = ratios.length > 1 ? ` ${spreadText(ratios)}, ${slow} of ${ratios.length} too slow` : '';
  const verdict = slow > 0 ? 'TOO SLOW' : 'ok';
  console.log(
    `${verdict}: ${part.name} ${numberText(median(ratios))}${spread}; usual ${numberText(part.usual)}, at least ${numberText(limit)}`,
  );
  if (slow > 0)
    console.log(
      `  ${part.what}; usual is so much because ${part.because}. If this is meant, write the new usual value into test/bench/guard/parts.ts`,
    );
}
