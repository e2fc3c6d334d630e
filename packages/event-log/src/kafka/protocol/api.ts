import type { WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

/** One request of Kafka's protocol, in the version that we write. */
export interface Api<Request, Response> {
  readonly name: string;
  readonly key: number;
  readonly version: number;
  /** Whether this version has the newer form of lengths and headers. */
  readonly flexible: boolean;
  /** About how many bytes the request will have, where that is a lot: its buffer need not grow then. */
  readonly sizeOf?: (request: Request) => number;
  encode(writer: WireWriter, request: Request): void;
  /** @throws EventLogError `corrupt` */
  decode(reader: WireReader): Response;
}
