import { connect } from 'node:net';

const METADATA = 3;
const VERSION = 1;
const ANSWER_WITHIN_MS = 2000;

/**
 * Whether the broker counts itself among those that serve. An open port is not enough: a broker listens before its controller lets it in, and
 * clients that come then are told that nobody leads the partitions.
 */
export async function isBrokerReady(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const received: Buffer[] = [];
    const end = (ready: boolean): void => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(ANSWER_WITHIN_MS, () => end(false));
    socket.on('error', () => end(false)).on('close', () => end(false));
    socket.on('connect', () => socket.write(metadataRequest()));
    socket.on('data', (bytes) => {
      received.push(bytes);
      const answer = Buffer.concat(received);
      // Size, correlation id, then the number of brokers.
      if (answer.length >= 12) end(answer.readInt32BE(8) > 0);
    });
  });
}

/** For no topic: an empty array. */
function metadataRequest(): Buffer {
  const request = Buffer.alloc(4 + 2 + 2 + 4 + 2 + 4);
  request.writeInt32BE(request.length - 4, 0);
  request.writeInt16BE(METADATA, 4);
  request.writeInt16BE(VERSION, 6);
  request.writeInt32BE(1, 8);
  request.writeInt16BE(-1, 12);
  request.writeInt32BE(0, 14);
  return request;
}
