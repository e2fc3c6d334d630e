import { hash, randomBytes } from 'node:crypto';

/** What a secret key may do. The first key of an installation has all four. */
export const SCOPES = ['ingest', 'read', 'admin', 'privacy'] as const;
export type Scope = (typeof SCOPES)[number];

/** The one scope of a write key. Such a key is public: it stands in web pages. */
export const COLLECT = 'collect';

/** How a key begins says what it is: `sk_` a secret key of a server or a person, `wk_` a write key of a web page. */
const PREFIX = { secret: 'sk_', write: 'wk_' } as const;
export type KeyKind = keyof typeof PREFIX;

/** A key as it is kept: never the key itself. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  /** SHA-256 of the whole key, hex. */
  readonly hash: string;
  readonly scopes: readonly string[];
  readonly createdAt: number;
  readonly revokedAt: number | null;
}

/** SHA-256, hex. A key holds 256 random bits, so a slow hash would add nothing but a way to keep the service busy. */
export function hashKey(key: string): string {
  return hash('sha256', key, 'hex');
}

export function isWriteKey(key: string): boolean {
  return key.startsWith(PREFIX.write);
}

interface NewKey {
  readonly kind: KeyKind;
  readonly name: string;
  /** Ignored for a write key, which can only collect. */
  readonly scopes: readonly Scope[];
  readonly now: number;
}

/** Makes a key. The text is shown to its owner once; only `row` is kept. */
export function createApiKey({ kind, name, scopes, now }: NewKey): { readonly text: string; readonly row: ApiKey } {
  const text = PREFIX[kind] + randomBytes(32).toString('base64url');
  const row: ApiKey = {
    id: `key_${randomBytes(8).toString('hex')}`,
    name,
    hash: hashKey(text),
    scopes: kind === 'write' ? [COLLECT] : [...scopes],
    createdAt: now,
    revokedAt: null,
  };
  return { text, row };
}
