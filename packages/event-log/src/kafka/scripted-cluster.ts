import { setTimeout as sleep } from 'node:timers/promises';
import { allVersions, answerTo, FakeBroker } from './fake-broker.ts';
import type { FakeRequest } from './fake-broker.ts';
import { WireReader } from './protocol/wire-reader.ts';
import { WireWriter } from './protocol/wire-writer.ts';

const API = { produce: 0, fetch: 1, listOffsets: 2, metadata: 3, apiVersions: 18, createTopics: 19, describeConfigs: 32 };
const CONFIGS = { 'cleanup.policy': 'delete', 'message.timestamp.type': 'LogAppendTime', 'max.message.bytes': '2097152' };

export interface Script {
  /** Error code for a batch that is appended, or that no answer is to come; by default it is stored. */
  onAppend?: (partition: number, batch: Buffer) => number | 'no answer' | 'stored, no answer';
  /** Instead of what is stored. */
  onFetch?: (partition: number, offset: number) => { readonly errorCode?: number; readonly records?: Buffer } | null;
}

/** A fetch that waits looks so often whether something has come. */
const LOOK_MS = 5;

/**
 * A cluster of one broker in this process, as much of it as a Kafka log needs: for what a real broker can't be made to do. It keeps batches as
 * they come, each with the offset that it gets. For tests.
 */
export class ScriptedCluster {
  script: Script = {};
  /** How long a fetch waits for which there is nothing. */
  idleMs = 10;
  topicId = '000000000000000000000000000000aa';
  readonly topic = 'events';
  readonly #stored: Buffer[][];
  #broker!: FakeBroker;

  private constructor(partitions: number) {
    this.#stored = Array.from({ length: partitions }, () => []);
  }

  static async start(partitions = 1): Promise<ScriptedCluster> {
    const cluster = new ScriptedCluster(partitions);
    cluster.#broker = await FakeBroker.start((request) => {
      void cluster.#answer(request).then((answer) => {
        if (answer !== null && !request.socket.destroyed) request.socket.write(answerTo(request, Buffer.from(answer)));
      });
      return null;
    });
    return cluster;
  }

  get brokers(): string[] {
    return [`127.0.0.1:${this.#broker.port}`];
  }

  stop(): Promise<void> {
    return this.#broker.stop();
  }

  /** Keeps a batch, as if it had been appended by somebody. */
  store(partition: number, batch: Buffer): void {
    const stored = Buffer.from(batch);
    stored.writeBigInt64BE(BigInt(this.#end(partition)), 0);
    this.#stored[partition]!.push(stored);
  }

  #end(partition: number): number {
    const last = this.#stored[partition]!.at(-1);
    return last === undefined ? 0 : Number(last.readBigInt64BE(0)) + last.readInt32BE(23) + 1;
  }

  async #answer({ key, body }: FakeRequest): Promise<Buffer | null> {
    if (key === API.apiVersions) return allVersions();
    if (key === API.metadata) return this.#metadata();
    if (key === API.produce) return this.#produce(new WireReader(body));
    if (key === API.fetch) return this.#fetch(new WireReader(body, true));
    if (key === API.listOffsets) return this.#listOffsets(new WireReader(body));
    if (key === API.describeConfigs) return this.#describeConfigs();
    throw new Error(`nobody should ask for ${key}`);
  }

  #metadata(): Buffer {
    const writer = new WireWriter(true);
    writer.tags().int32(0).count(1).int32(1).text('127.0.0.1').int32(this.#broker.port).text(null).tags().text('cluster').int32(1);
    writer.count(1).int16(0).text(this.topic).raw(Buffer.from(this.topicId, 'hex')).boolean(false).count(this.#stored.length);
    for (const partition of this.#stored.keys()) {
      writer.int16(0).int32(partition).int32(1).int32(0).count(1).int32(1).count(1).int32(1).count(0).tags();
    }
    return writer.int32(0).tags().tags().bytes();
  }

  #describeConfigs(): Buffer {
    const writer = new WireWriter().int32(0).count(1).int16(0).text(null).int8(2).text(this.topic).count(Object.keys(CONFIGS).length);
    for (const [name, value] of Object.entries(CONFIGS)) writer.text(name).text(value).boolean(false).int8(1).boolean(false).count(0);
    return writer.bytes();
  }

  #listOffsets(reader: WireReader): Buffer {
    reader.int32();
    reader.int8();
    const partitions = reader.list(1, () => {
      reader.text();
      return reader.list(1, () => ({ partition: reader.int32(), epoch: reader.int32(), at: reader.int64() }));
    });
    const writer = new WireWriter().int32(0).count(1).text(this.topic).count(partitions.flat().length);
    for (const { partition, at } of partitions.flat()) {
      writer
        .int32(partition)
        .int16(0)
        .int64(-1)
        .int64(at === -2 ? 0 : this.#end(partition))
        .int32(0);
    }
    return writer.bytes();
  }

  #produce(reader: WireReader): Buffer | null {
    reader.nullableText();
    reader.int16();
    reader.int32();
    const batches = reader.list(1, () => {
      reader.text();
      return reader.list(1, () => ({ partition: reader.int32(), batch: reader.nullableBytes()! }));
    });
    const results = batches.flat().map(({ partition, batch }) => {
      const outcome = this.script.onAppend?.(partition, batch) ?? 0;
      if (outcome === 0 || outcome === 'stored, no answer') this.store(partition, batch);
      return { partition, outcome };
    });
    const writer = new WireWriter().count(1).text(this.topic).count(results.length);
    for (const { partition, outcome } of results) {
      if (typeof outcome === 'string') return null;
      writer.int32(partition).int16(outcome).int64(0).int64(0).int64(0);
    }
    return writer.int32(0).bytes();
  }

  async #fetch(reader: WireReader): Promise<Buffer> {
    reader.tags();
    for (let i = 0; i < 4; i++) reader.int32();
    reader.int8();
    reader.int32();
    reader.int32();
    const topics = reader.list(1, () => {
      const id = reader.uuid();
      const partitions = reader.list(1, () => {
        const partition = reader.int32();
        reader.int32();
        const offset = reader.int64();
        reader.int32();
        reader.int64();
        reader.int32();
        reader.tags();
        return { partition, offset, id };
      });
      reader.tags();
      return partitions;
    });
    const asked = topics.flat();
    const find = () => asked.map(({ partition, offset, id }) => ({ partition, ...this.#read(partition, offset, id) }));
    let found = find();
    if (found.every(({ records, errorCode }) => records.length === 0 && errorCode === 0)) {
      const until = performance.now() + this.idleMs;
      const hasCome = () => asked.some(({ partition, offset }) => this.#end(partition) > offset);
      while (!hasCome() && performance.now() < until) await sleep(Math.min(LOOK_MS, this.idleMs), undefined, { ref: false });
      if (hasCome()) found = find();
    }
    const writer = new WireWriter(true)
      .tags()
      .int32(0)
      .int16(0)
      .int32(0)
      .count(1)
      .raw(Buffer.from(this.topicId, 'hex'))
      .count(found.length);
    for (const { partition, errorCode, records } of found) {
      const end = this.#end(partition);
      writer
        .int32(partition)
        .int16(errorCode)
        .int64(end)
        .int64(end)
        .int64(0)
        .count(0)
        .int32(-1)
        .bytesLength(records.length)
        .raw(records)
        .tags();
    }
    return writer.tags().tags().bytes();
  }

  #read(partition: number, offset: number, id: string): { readonly errorCode: number; readonly records: Buffer } {
    const nothing = Buffer.alloc(0);
    if (id !== this.topicId) return { errorCode: 100, records: nothing };
    const scripted = this.script.onFetch?.(partition, offset) ?? null;
    if (scripted !== null) return { errorCode: scripted.errorCode ?? 0, records: scripted.records ?? nothing };
    if (offset > this.#end(partition)) return { errorCode: 1, records: nothing };
    const from = this.#stored[partition]!.filter((batch) => Number(batch.readBigInt64BE(0)) + batch.readInt32BE(23) >= offset);
    return { errorCode: 0, records: Buffer.concat(from) };
  }
}
