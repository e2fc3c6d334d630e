import { createHmac, timingSafeEqual } from 'node:crypto';
import { COLLECT, createApiKey, hashKey, isWriteKey, SCOPES, type ApiKey } from './api-keys.ts';
import { systemClock, type Clock } from './clock.ts';

/** Revoking a key works within twice this time, in every process: half of the 5 s that are promised. */
const REFRESH_MS = 2_000;
const ADMIN_KEY_ID = 'configured-admin';
/** Digests are looked up by this many hex digits and then compared whole, in constant time. */
const LOOKUP_DIGITS = 16;

/** Who a request comes from. */
export interface Caller {
  readonly keyId: string;
  readonly kind: 'secret' | 'write';
  readonly scopes: ReadonlySet<string>;
}

export interface KeyRingOptions {
  readonly loadKeys: () => Promise<readonly ApiKey[]>;
  /** Keeps the first admin key. A process without it never makes one: where several share a store, one of them does. */
  readonly saveKey?: (row: ApiKey) => Promise<void>;
  /** An admin key given by configuration. It is in force while this process runs and is not stored. */
  readonly adminKey?: string | undefined;
  readonly refreshMs?: number;
  readonly clock?: Clock;
  /** A refresh failed: the keys known before stay in force. */
  readonly onRefreshFailed?: (cause: unknown) => void;
}

/**
 * The API keys in force, as a snapshot in memory that is read again every two seconds. It is given functions and knows no store.
 *
 * To hash a token costs most of what it takes to let a request in, so one that was found right is known by its text until the keys
 * are read again. Only keys in force get there, each once, so there are no more of them than keys, and a revoked one is gone with the snapshot
 * that it was in. Their texts stand in memory anyway while requests with them come in. Nor do they show in how long a look takes: a Map compares
 * texts only when their hashes are the same, which are of whole texts and seeded anew in each process, so the beginning of a right one gains nothing.
 */
export class KeyRing {
  readonly #options: KeyRingOptions;
  #keys: ReadonlyMap<string, { readonly digest: Buffer; readonly caller: Caller }> = new Map();
  /** Whose tokens were found right under these keys. */
  readonly #verified = new Map<string, Caller>();
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(options: KeyRingOptions) {
    this.#options = options;
    // The configured key is in force at once, whether or not the others can be read.
    this.#take([]);
  }

  /**
   * Loads the keys and begins to refresh them. After a failure it may be called again; the configured key is in force all the while.
   * @throws whatever `loadKeys` rejects with
   */
  async start(): Promise<void> {
    await this.#load();
    this.#schedule();
  }

  /**
   * Makes the first admin key when there is none at all, and returns its text, to be shown once: call it when nothing can keep that from being
   * shown any more. Null when there is one.
   * @throws whatever `loadKeys` or `saveKey` rejects with
   */
  async makeFirstKey(): Promise<string | null> {
    const { saveKey, adminKey, clock = systemClock } = this.#options;
    const rows = await this.#load();
    const hasAdmin = rows.some((row) => row.revokedAt === null && row.scopes.includes('admin'));
    if (!saveKey || adminKey !== undefined || hasAdmin) return null;
    const { text, row } = createApiKey({ kind: 'secret', name: 'first admin key', scopes: SCOPES, now: clock() });
    await saveKey(row);
    this.#take([...rows, row]);
    return text;
  }

  /** Reads the keys again now; a process that has changed one need not wait. */
  async refresh(): Promise<void> {
    await this.#load();
  }

  /** Whom a bearer token belongs to; null when it is no key in force. */
  verify(token: string): Caller | null {
    const verified = this.#verified.get(token);
    if (verified !== undefined) return verified;
    const digest = hashKey(token);
    const known = this.#keys.get(digest.slice(0, LOOKUP_DIGITS));
    if (known === undefined || !timingSafeEqual(known.digest, Buffer.from(digest, 'hex'))) return null;
    this.#verified.set(token, known.caller);
    return known.caller;
  }

  /**
   * A signature in the name of a key, for addresses that are opened without headers. It is made with the key's hash, which all processes know, so that
   * any of them can check it, and it ends with the key. Null when no key in force has this id.
   */
  sign(keyId: string, text: string): string | null {
    for (const { caller, digest } of this.#keys.values()) {
      if (caller.keyId === keyId) return createHmac('sha256', digest).update(text).digest('base64url');
    }
    return null;
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  async #load(): Promise<readonly ApiKey[]> {
    const rows = await this.#options.loadKeys();
    this.#take(rows);
    return rows;
  }

  #take(rows: readonly ApiKey[]): void {
    const keys = new Map<string, { digest: Buffer; caller: Caller }>();
    for (const row of rows) {
      if (row.revokedAt !== null || !/^[0-9a-f]{64}$/.test(row.hash)) continue;
      // The scope that only a write key has tells the two apart: a stored hash no longer shows how the key began.
      const kind = row.scopes.includes(COLLECT) ? 'write' : 'secret';
      const scopes = new Set(kind === 'write' ? [COLLECT] : row.scopes);
      keys.set(row.hash.slice(0, LOOKUP_DIGITS), { digest: Buffer.from(row.hash, 'hex'), caller: { keyId: row.id, kind, scopes } });
    }
    const { adminKey } = this.#options;
    if (adminKey !== undefined) {
      const hash = hashKey(adminKey);
      const caller: Caller = { keyId: ADMIN_KEY_ID, kind: 'secret', scopes: new Set(SCOPES) };
      keys.set(hash.slice(0, LOOKUP_DIGITS), { digest: Buffer.from(hash, 'hex'), caller });
    }
    this.#keys = keys;
    this.#verified.clear();
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#tick(), this.#options.refreshMs ?? REFRESH_MS);
    this.#timer.unref();
  }

  async #tick(): Promise<void> {
    try {
      await this.#load();
    } catch (cause) {
      // The keys stay; the texts of those that are not used any more need not.
      this.#verified.clear();
      this.#options.onRefreshFailed?.(cause);
    }
    this.#schedule();
  }
}

/** Why a text can't serve as the configured admin key; null when it can. */
export function adminKeyProblem(key: string): string | null {
  if (isWriteKey(key)) return 'begins with wk_, as the public keys of web pages do';
  return /^[\x21-\x7e]{1,512}$/.test(key) ? null : 'must be 1 to 512 visible ASCII characters without spaces';
}
