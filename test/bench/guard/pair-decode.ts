import { LogRun, recordTypeOf, type RecordSchema } from '@touchstone/codec';
import { RecordReader, type RecordBlock } from '@touchstone/event-log';
import type { Pair } from './pair.ts';
import { smallBlocks, TOUCHES } from './small-world.ts';

/** Of the single-object encoding: two bytes of a mark and eight of a fingerprint. */
const HEADER_BYTES = 10;

export function pairDecode(): Pair {
  const blocks = smallBlocks();
  const type = touchType(blocks[0]!);
  const buffers = blocks.map(({ bytes }) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const run = new LogRun<RecordBlock>(0, new RecordReader());
  const records = new RecordReader();
  return {
    ours: {
      units: TOUCHES,
      run() {
        for (const block of blocks) {
          run.open(block);
          while (run.next()) if (run.poison !== null) throw new Error(run.poison.detail);
        }
      },
    },
    yardstick: {
      units: TOUCHES,
      run() {
        for (const [at, block] of blocks.entries()) {
          records.open(block);
          while (records.next()) type.decode(buffers[at]!, records.valueStart + HEADER_BYTES);
        }
      },
    },
  };
}

function touchType(block: RecordBlock): RecordSchema['type'] {
  const records = new RecordReader();
  records.open(block);
  records.next();
  const schema = recordTypeOf(block.bytes, records.valueStart, records.valueEnd);
  if (!('type' in schema)) throw new Error(schema.detail);
  return schema.type;
}
