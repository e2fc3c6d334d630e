import { afterEach, describe, expect, it, vi } from 'vitest';
import { createApiKey, hashKey, SCOPES, type ApiKey } from './api-keys.ts';
import { adminKeyProblem, KeyRing, type KeyRingOptions } from './key-ring.ts';

let ring: KeyRing | null = null;
afterEach(() => {
  ring?.stop();
  vi.useRealTimers();
});

/** A store of keys in an array. */
function keep(rows: ApiKey[]): Pick<KeyRingOptions, 'loadKeys' | 'saveKey'> {
  return {
    loadKeys: () => Promise.resolve([...rows]),
    saveKey: (row) => {
      rows.push(row);
      return Promise.resolve();
    },
  };
}

const admin = createApiKey({ kind: 'secret', name: 'admin', scopes: SCOPES, now: 0 });

describe('createApiKey', () => {
  it.each([
    ['secret', /^sk_[A-Za-z0-9_-]{43}$/],
    ['write', /^wk_[A-Za-z0-9_-]{43}$/],
  ] as const)('makes a %s key of 256 bits that is not kept itself', (kind, form) => {
    const { text, row } = createApiKey({ kind, name: 'n', scopes: ['read'], now: 7 });
    expect(text).toMatch(form);
    expect(row).toMatchObject({ hash: hashKey(text), createdAt: 7, revokedAt: null, scopes: [kind === 'write' ? 'collect' : 'read'] });
    expect(JSON.stringify(row)).not.toContain(text.slice(3));
  });
});

describe('the first key', () => {
  it('is made when there is none, stored as a hash, and told once', async () => {
    const rows: ApiKey[] = [];
    ring = new KeyRing({ ...keep(rows), clock: () => 42 });
    await ring.start();
    const firstKey = await ring.makeFirstKey();
    expect(ring.verify(firstKey!)).toMatchObject({ kind: 'secret', scopes: new Set(SCOPES) });
    expect(rows).toEqual([expect.objectContaining({ hash: hashKey(firstKey!), createdAt: 42 })]);

    const second = new KeyRing(keep(rows));
    await second.start();
    expect(await second.makeFirstKey()).toBeNull();
    expect(second.verify(firstKey!)).not.toBeNull();
    second.stop();
  });

  it('is made again when every admin key was revoked: else nobody could get in', async () => {
    ring = new KeyRing(keep([{ ...admin.row, revokedAt: 1 }]));
    await ring.start();
    expect(await ring.makeFirstKey()).toMatch(/^sk_/);
  });

  it('is the configured one, in force but not stored', async () => {
    const rows: ApiKey[] = [];
    ring = new KeyRing({ ...keep(rows), adminKey: 'chosen by hand' });
    await ring.start();
    expect(await ring.makeFirstKey()).toBeNull();
    expect(rows).toEqual([]);
    expect(ring.verify('chosen by hand')?.scopes).toEqual(new Set(SCOPES));
  });

  it('is left to another process by one that can not store it', async () => {
    ring = new KeyRing({ loadKeys: () => Promise.resolve([]) });
    await ring.start();
    expect(await ring.makeFirstKey()).toBeNull();
  });

  it.each([
    ['wk_public', /begins with wk_/],
    ['two words', /without spaces/],
    ['', /1 to 512/],
  ])('can not be %j', (key, problem) => {
    expect(adminKeyProblem(key)).toMatch(problem);
    expect(adminKeyProblem(`${key.replaceAll(/^wk_| /g, '')}x`)).toBeNull();
  });
});

describe('the configured key', () => {
  it('is in force before the others were read, and while they can not be', async () => {
    ring = new KeyRing({ loadKeys: () => Promise.reject(new Error('the store is away')), adminKey: 'sk_configured' });
    expect(ring.verify('sk_configured')).toMatchObject({ kind: 'secret', scopes: new Set(SCOPES) });
    await expect(ring.start()).rejects.toThrow('the store is away');
    expect(ring.verify('sk_configured')).not.toBeNull();
    expect(ring.verify('sk_another')).toBeNull();
  });
});

describe('verify', () => {
  it('knows no other key, revoked keys, or hashes that are none', async () => {
    const revoked = createApiKey({ kind: 'secret', name: 'r', scopes: ['read'], now: 0 });
    ring = new KeyRing(keep([admin.row, { ...revoked.row, revokedAt: 5 }, { ...admin.row, id: 'bad', hash: 'nonsense' }]));
    await ring.start();
    expect(ring.verify(admin.text)?.keyId).toBe(admin.row.id);
    for (const token of [revoked.text, `${admin.text}x`, admin.text.slice(0, -1), '', 'sk_', admin.row.hash, 'nonsense']) {
      expect(ring.verify(token)).toBeNull();
    }
  });

  it('compares whole digests, not only the part it looks them up by', async () => {
    const other = hashKey(admin.text).slice(0, 16) + '0'.repeat(48);
    ring = new KeyRing({ loadKeys: () => Promise.resolve([{ ...admin.row, hash: other }]) });
    await ring.start();
    expect(ring.verify(admin.text)).toBeNull();
  });

  it('gives a write key nothing but collecting, whatever its row says', async () => {
    const page = createApiKey({ kind: 'write', name: 'p', scopes: ['admin'], now: 0 });
    ring = new KeyRing(keep([{ ...page.row, scopes: ['collect', 'admin'] }]));
    await ring.start();
    expect(ring.verify(page.text)).toMatchObject({ kind: 'write', scopes: new Set(['collect']) });
  });
});

describe('a token that was found right', () => {
  it('is what it was found to be, and no other is', async () => {
    ring = new KeyRing(keep([admin.row]));
    await ring.start();
    const first = ring.verify(admin.text);
    expect(ring.verify(Buffer.from(admin.text).toString())).toBe(first);
    for (const token of [admin.text.slice(0, -1), `${admin.text} `, admin.text.toUpperCase()]) expect(ring.verify(token)).toBeNull();
  });

  it('is asked about again when the keys were read: what it may do has changed, or it is revoked', async () => {
    const rows = [admin.row];
    ring = new KeyRing(keep(rows));
    await ring.start();
    expect(ring.verify(admin.text)?.scopes).toEqual(new Set(SCOPES));
    rows[0] = { ...admin.row, scopes: ['read'] };
    await ring.refresh();
    expect(ring.verify(admin.text)?.scopes).toEqual(new Set(['read']));
    rows[0] = { ...admin.row, revokedAt: 1 };
    await ring.refresh();
    expect(ring.verify(admin.text)).toBeNull();
  });
});

describe('refreshing', () => {
  it('takes a revoked key out of force within five seconds', async () => {
    vi.useFakeTimers();
    const rows: ApiKey[] = [admin.row];
    ring = new KeyRing(keep(rows));
    await ring.start();
    rows[0] = { ...admin.row, revokedAt: 1 };
    expect(ring.verify(admin.text)).not.toBeNull();
    await vi.advanceTimersByTimeAsync(4_999);
    expect(ring.verify(admin.text)).toBeNull();
  });

  it('keeps the keys it knows while they can not be read, says so, and goes on trying', async () => {
    vi.useFakeTimers();
    const failures: unknown[] = [];
    let rows: Promise<ApiKey[]> = Promise.resolve([admin.row]);
    ring = new KeyRing({ loadKeys: () => rows, onRefreshFailed: (cause) => failures.push(cause) });
    await ring.start();
    rows = Promise.reject(new Error('store away'));
    rows.catch(() => {});
    await vi.advanceTimersByTimeAsync(4_500);
    expect(failures).toHaveLength(2);
    expect(ring.verify(admin.text)).not.toBeNull();
    rows = Promise.resolve([]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(ring.verify(admin.text)).toBeNull();
  });
});

describe('a signature in the name of a key', () => {
  it('is the same in every process that knows the key, another for each key and text, and ends with the key', async () => {
    const other = createApiKey({ kind: 'secret', name: 'other', scopes: ['read'], now: 0 });
    const rows = [admin.row, other.row];
    ring = new KeyRing(keep(rows));
    await ring.start();
    const twin = new KeyRing(keep(rows));
    await twin.start();
    const signature = ring.sign(admin.row.id, 'text');
    expect(signature).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(twin.sign(admin.row.id, 'text')).toBe(signature);
    expect(ring.sign(admin.row.id, 'other text')).not.toBe(signature);
    expect(ring.sign(other.row.id, 'text')).not.toBe(signature);
    expect(ring.sign('key_none', 'text')).toBeNull();
    rows[0] = { ...admin.row, revokedAt: 1 };
    await ring.refresh();
    expect(ring.sign(admin.row.id, 'text')).toBeNull();
    twin.stop();
  });
});
