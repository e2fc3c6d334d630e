import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findKafka, sharedBroker, startOwnBroker } from '@touchstone/testkit';
import type { OwnBroker } from '@touchstone/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { LogFollower } from '../log-follower.ts';
import { BrokerFixture } from './broker-fixture.ts';
import type { KafkaLogOptions } from './kafka-options.ts';

const { missing } = sharedBroker();
// The broker reads its certificate from a file of this machine.
const { kind } = await findKafka({ own: true });
const LOGIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_touchstone="right";';
const PASSWORD = 'changeit';

describe.skipIf(missing !== null || kind !== 'java')('a broker with TLS and SASL', () => {
  const directory = mkdtempSync(join(tmpdir(), 'touchstone-tls-'));
  const keystore = join(directory, 'broker.p12');
  const ca = join(directory, 'ca.pem');
  let front: Server;
  let broker: OwnBroker;
  let fixture: BrokerFixture;

  beforeAll(async () => {
    const of = ['-alias', 'broker', '-keystore', keystore, '-storetype', 'PKCS12', '-storepass', PASSWORD];
    execFileSync('keytool', ['-genkeypair', ...of, '-keyalg', 'EC', '-dname', 'CN=broker', '-ext', 'SAN=ip:127.0.0.1', '-validity', '2'], {
      stdio: 'ignore',
    });
    execFileSync('keytool', ['-exportcert', '-rfc', ...of, '-file', ca], { stdio: 'ignore' });
    front = createServer((socket) => {
      const behind = connect(broker.behindProxy!);
      for (const end of [socket, behind]) end.on('error', () => {}).on('close', () => (socket.destroy(), behind.destroy()));
      socket.pipe(behind).pipe(socket);
    });
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
    const { port } = front.address() as AddressInfo;
    broker = (await startOwnBroker({
      advertisedPort: port,
      properties: {
        'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:SASL_SSL',
        'listener.name.proxied.ssl.keystore.type': 'PKCS12',
        'listener.name.proxied.ssl.keystore.location': keystore,
        'listener.name.proxied.ssl.keystore.password': PASSWORD,
        'listener.name.proxied.sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.proxied.plain.sasl.jaas.config': LOGIN,
        'listener.name.proxied.connections.max.reauth.ms': '2000',
      },
    }))!;
    fixture = new BrokerFixture(`127.0.0.1:${port}`);
  });
  afterEach(() => fixture.closeLogs());
  afterAll(async () => {
    await broker?.close();
    front.close();
    rmSync(directory, { recursive: true });
  });

  const secured = (password = 'right'): Partial<KafkaLogOptions> => ({
    ssl: { ca: readFileSync(ca) },
    sasl: { mechanism: 'plain', username: 'touchstone', password },
    waitForBrokersMs: 5_000,
  });

  test('is used, also beyond the time after which it wants to see the credentials again', async () => {
    const topic = fixture.name();
    const log = await fixture.open({ [topic]: {} }, secured());
    const follower = await LogFollower.start(log, { topic, group: fixture.name() });
    for (let i = 0; i < 40; i++) {
      await log.append(topic, [{ key: null, value: Buffer.from(`${i}`), partition: 0 }]);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await follower.read(40);
    expect(follower.values()).toEqual(Array.from({ length: 40 }, (_, i) => `${i}`));
  });

  test.each([
    { what: 'a wrong password', options: () => secured('wrong'), message: /does not take the credentials/ },
    { what: 'a certificate that is not trusted', options: () => ({ ...secured(), ssl: {} }), message: /self-signed certificate/ },
  ])('is refused at once with $what', async ({ options, message }) => {
    await expect(fixture.open({ t: {} }, options())).rejects.toMatchObject({ code: 'refused', message: expect.stringMatching(message) });
  });
});
