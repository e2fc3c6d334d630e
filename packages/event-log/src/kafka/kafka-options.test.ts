import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { temporaryDirectories } from '../temporary-directory.ts';
import { kafkaOptionsOf, kafkaSettingProblems, kafkaSettings } from './kafka-options.ts';

const schema = z.object(kafkaSettings);
const parse = (environment: Record<string, string>) => schema.parse({ KAFKA_BROKERS: 'a:9092', ...environment });
const temporaryDirectory = temporaryDirectories();

describe('settings of a Kafka cluster', () => {
  test('need brokers only', () => {
    expect(kafkaOptionsOf(parse({}))).toEqual({ brokers: ['a:9092'], ssl: null, sasl: null, sessionTimeoutMs: 10_000 });
  });

  test.each([
    { text: 'a:1', brokers: ['a:1'] },
    { text: 'a:1, b.example:2 ,10.0.0.1:3', brokers: ['a:1', 'b.example:2', '10.0.0.1:3'] },
    { text: '[::1]:9092', brokers: ['[::1]:9092'] },
  ])('take brokers as $text', ({ text, brokers }) => {
    expect(parse({ KAFKA_BROKERS: text }).KAFKA_BROKERS).toEqual(brokers);
  });

  test.each([
    { what: 'no port', environment: { KAFKA_BROKERS: 'a' } },
    { what: 'a scheme', environment: { KAFKA_BROKERS: 'kafka://a:9092' } },
    { what: 'an empty one among the brokers', environment: { KAFKA_BROKERS: 'a:1,,b:2' } },
    { what: 'a flag that is none', environment: { KAFKA_SSL: 'yes' } },
    { what: 'a mechanism that nobody has', environment: { KAFKA_SASL_MECHANISM: 'digest' } },
    { what: 'no replicas', environment: { KAFKA_REPLICATION_FACTOR: '0' } },
    { what: 'half a replica', environment: { KAFKA_REPLICATION_FACTOR: '1.5' } },
    { what: 'a session of no time', environment: { KAFKA_SESSION_TIMEOUT_MS: '1' } },
  ])('refuse $what', ({ environment }) => {
    expect(schema.safeParse({ KAFKA_BROKERS: 'a:9092', ...environment }).success).toBe(false);
  });

  test.each([
    {
      what: 'a mechanism without a password',
      environment: { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'u' },
      problem: /needs KAFKA_SASL_USERNAME/,
    },
    { what: 'a password without a mechanism', environment: { KAFKA_SASL_PASSWORD: 'p' }, problem: /need KAFKA_SASL_MECHANISM/ },
    { what: 'a file of authorities without SSL', environment: { KAFKA_SSL_CA_FILE: '/ca' }, problem: /need KAFKA_SSL=true/ },
    { what: 'a certificate without its key', environment: { KAFKA_SSL: 'true', KAFKA_SSL_CERT_FILE: '/cert' }, problem: /need each other/ },
  ])('tell of $what', ({ environment, problem }) => {
    const config = parse(environment);
    expect(kafkaSettingProblems(config)).toEqual([expect.stringMatching(problem)]);
    expect(() => kafkaOptionsOf(config)).toThrow(problem);
  });

  test('give credentials and what the files hold', () => {
    const file = join(temporaryDirectory(), 'ca.pem');
    writeFileSync(file, 'authority');
    const config = parse({
      KAFKA_SSL: 'true',
      KAFKA_SSL_CA_FILE: file,
      KAFKA_SASL_MECHANISM: 'scram-sha-256',
      KAFKA_SASL_USERNAME: 'u',
      KAFKA_SASL_PASSWORD: 'p',
    });
    expect(kafkaOptionsOf(config)).toMatchObject({
      ssl: { ca: Buffer.from('authority') },
      sasl: { mechanism: 'scram-sha-256', username: 'u', password: 'p' },
    });
  });

  test('fail on a file that is not there', () => {
    expect(() => kafkaOptionsOf(parse({ KAFKA_SSL: 'true', KAFKA_SSL_CA_FILE: '/no/such/file' }))).toThrow(/no such file/);
  });
});
