import { Webhook } from 'standardwebhooks';
import { describe, expect, it, test } from 'vitest';
import { createSecret, secretProblem, signatureHeader } from './webhook-secret.ts';

const body = '{"type":"account.threshold.crossed","data":{"name":"Ünïcode 🚀"}}';

/** As the receiver's library wants them. */
function headersOf(secrets: readonly string[], now = Date.now()) {
  const timestamp = Math.floor(now / 1000);
  return {
    'webhook-id': 'alr_1',
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatureHeader({ id: 'alr_1', timestamp, body }, secrets),
  };
}

describe('signatures, as the library of Standard Webhooks sees them', () => {
  it('are those of the secret', () => {
    const secret = createSecret();
    expect(new Webhook(secret).verify(body, headersOf([secret]))).toEqual(JSON.parse(body));
  });

  it('are of both secrets while one takes the place of the other', () => {
    const [old, young, other] = [createSecret(), createSecret(), createSecret()];
    const headers = headersOf([young, old]);
    expect(headers['webhook-signature'].split(' ')).toHaveLength(2);
    for (const secret of [old, young]) expect(() => new Webhook(secret).verify(body, headers)).not.toThrow();
    expect(() => new Webhook(other).verify(body, headers)).toThrow(/No matching signature/);
  });

  it('are void for another body, id or time', () => {
    const secret = createSecret();
    const headers = headersOf([secret]);
    const receiver = new Webhook(secret);
    expect(() => receiver.verify(`${body} `, headers)).toThrow(/No matching signature/);
    expect(() => receiver.verify(body, { ...headers, 'webhook-id': 'alr_2' })).toThrow(/No matching signature/);
    expect(() => receiver.verify(body, headersOf([secret], Date.now() - 3_600_000))).toThrow(/too old/);
  });

  it("are the library's own", () => {
    const secret = createSecret();
    const at = new Date(1_700_000_000_000);
    expect(signatureHeader({ id: 'alr_1', timestamp: 1_700_000_000, body }, [secret])).toBe(new Webhook(secret).sign('alr_1', at, body));
  });
});

test.each([
  ['of 24 bytes', `whsec_${Buffer.alloc(24).toString('base64')}`, true],
  ['of 64 bytes', `whsec_${Buffer.alloc(64).toString('base64')}`, true],
  ['of ours', createSecret(), true],
  ['too short', `whsec_${Buffer.alloc(23).toString('base64')}`, false],
  ['too long', `whsec_${Buffer.alloc(65).toString('base64')}`, false],
  ['without its prefix', Buffer.alloc(32).toString('base64'), false],
  ['of another kind', `whsk_${Buffer.alloc(32).toString('base64')}`, false],
  ['no base64', `whsec_${'!'.repeat(40)}`, false],
  ['without its padding', `whsec_${Buffer.alloc(32).toString('base64').slice(0, -1)}`, false],
  ['empty', '', false],
])('a secret %s', (_, secret, isOne) => {
  expect(secretProblem(secret) === null).toBe(isOne);
});
