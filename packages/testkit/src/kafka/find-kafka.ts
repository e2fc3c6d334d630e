import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { jarsDirectory } from './fetch-jars.ts';

/** Where a broker for tests can come from, or why there is none. */
export type KafkaSource =
  | { readonly kind: 'given'; readonly brokers: string }
  | { readonly kind: 'container' }
  | { readonly kind: 'java' }
  | { readonly kind: 'none'; readonly reason: string };

const DOCKER_SOCKET = '/var/run/docker.sock';
const JAVA_MIN = 17;
const run = promisify(execFile);

/**
 * Looks for a broker: KAFKA_BROKERS, else Docker, else Java with Maven.
 * @param own passes over KAFKA_BROKERS, for tests that stop and kill their broker
 */
export async function findKafka({ own = false }: { own?: boolean } = {}): Promise<KafkaSource> {
  const brokers = process.env['KAFKA_BROKERS'];
  if (!own && brokers !== undefined && brokers !== '') return { kind: 'given', brokers };
  if (process.env['DOCKER_HOST'] !== undefined || existsSync(DOCKER_SOCKET)) return { kind: 'container' };
  const reason = await whyNoJava();
  return reason === null ? { kind: 'java' } : { kind: 'none', reason: `no KAFKA_BROKERS, no Docker, and ${reason}` };
}

async function whyNoJava(): Promise<string | null> {
  const java = await outputOf('java', ['-version']);
  if (java === null) return 'no Java';
  const major = Number(/version "(\d+)/.exec(java)?.[1] ?? 0);
  if (major < JAVA_MIN) return `Java ${major} is older than ${JAVA_MIN}`;
  if (!existsSync(jarsDirectory()) && (await outputOf('mvn', ['-v'])) === null) return 'no Maven to fetch the jars with';
  return null;
}

/** What the program writes to both its outputs; null when it can't be run. */
async function outputOf(program: string, args: readonly string[]): Promise<string | null> {
  try {
    const { stdout, stderr } = await run(program, args);
    return stdout + stderr;
  } catch {
    return null;
  }
}
