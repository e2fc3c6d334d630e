import { isDeepStrictEqual } from 'node:util';
import { persist, repeat, type Logger, type Metrics, type Scheduler } from '@touchstone/runtime';
import { StoreError, type EndpointRow, type NotificationStore } from '@touchstone/store';
import { createEndpointId, endpointOf, rowOf, type Endpoint } from './endpoint.ts';

/** What another process changed is seen after this. */
const REFRESH_INTERVAL_MS = 5000;
/** The highest that the store holds: what another process writes at the same moment can not bring back what was deleted. */
const REVISION_OF_DELETED = 2 ** 32 - 1;

export interface EndpointBookOptions {
  readonly store: Pick<NotificationStore, 'endpoints' | 'saveEndpoint'>;
  readonly scheduler: Scheduler;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly onFatal: (cause: unknown) => void;
}

export type NewEndpoint = Pick<Endpoint, 'name' | 'kind' | 'url' | 'secrets' | 'filter' | 'ownerBudget'>;
export type EndpointChanges = Partial<Pick<Endpoint, 'name' | 'url' | 'secrets' | 'filter' | 'ownerBudget' | 'state' | 'stateReason'>>;

/** The endpoints as they are stored, in memory: an alert asks for all of them. Changes go to the store first. */
export class EndpointBook {
  readonly #options: EndpointBookOptions;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #listeners: (() => void)[] = [];
  /** Changes and refreshes take turns: a list that was read before a change must not undo it. */
  #last: Promise<unknown> = Promise.resolve();
  #refreshes: { stop(): void } | null = null;

  constructor(options: EndpointBookOptions) {
    this.#options = options;
  }

  /** Resolves once they are known, however long that takes. */
  async start(): Promise<void> {
    const { logger, onFatal, scheduler } = this.#options;
    await persist({
      scheduler,
      step: () => this.#refresh(),
      onRetry: (err) => logger.warn({ err }, 'the endpoints can not be read yet; it is tried again'),
    });
    this.#refreshes = repeat({
      scheduler,
      intervalMs: REFRESH_INTERVAL_MS,
      step: () => this.#refresh(),
      onRetry: (err) => logger.warn({ err }, 'the endpoints could not be read again; those known stay'),
      onFault: onFatal,
    });
  }

  stop(): void {
    this.#refreshes?.stop();
  }

  /** Oldest first. */
  get all(): readonly Endpoint[] {
    return [...this.#endpoints.values()];
  }

  get(id: string): Endpoint | null {
    return this.#endpoints.get(id) ?? null;
  }

  /** Calls `listener` after every change of any endpoint. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  create(given: NewEndpoint): Promise<Endpoint> {
    const now = this.#options.scheduler.now();
    const id = createEndpointId();
    return this.#save({ id, revision: 0, ...given, state: 'active', stateReason: '', createdAt: now, updatedAt: now });
  }

  /**
   * Null when there is no such endpoint.
   * @param changes if they depend on what it is, a function of that: another process may have changed it since it was last seen here
   */
  change(id: string, changes: EndpointChanges | ((before: Endpoint) => EndpointChanges)): Promise<Endpoint | null> {
    return this.#inTurn(async () => {
      const before = await this.#readOne(id);
      if (before === null) return null;
      const changed = typeof changes === 'function' ? changes(before) : changes;
      return this.#put({ ...before, ...changed, revision: before.revision + 1, updatedAt: this.#options.scheduler.now() });
    });
  }

  /** False when there is no such endpoint. */
  remove(id: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const before = await this.#readOne(id);
      if (before === null) return false;
      const updatedAt = this.#options.scheduler.now();
      await this.#put({ ...before, state: 'deleted', secrets: [], url: '', revision: REVISION_OF_DELETED, updatedAt });
      return true;
    });
  }

  #save(endpoint: Endpoint): Promise<Endpoint> {
    return this.#inTurn(() => this.#put(endpoint));
  }

  async #put(endpoint: Endpoint): Promise<Endpoint> {
    await this.#options.store.saveEndpoint(rowOf(endpoint));
    if (endpoint.state === 'deleted') this.#endpoints.delete(endpoint.id);
    else this.#endpoints.set(endpoint.id, endpoint);
    this.#tell();
    return endpoint;
  }

  #refresh(): Promise<void> {
    return this.#inTurn(async () => {
      const found = new Map<string, Endpoint>();
      for (const row of await this.#read()) {
        const known = this.#endpoints.get(row.id);
        const endpoint = this.#readable(row);
        // Two processes may have written the same revision: only the whole row tells. What is the same stays the same object.
        if (endpoint !== null) found.set(row.id, isDeepStrictEqual(endpoint, known) ? known! : endpoint);
      }
      const isSame = found.size === this.#endpoints.size && [...found].every(([id, endpoint]) => this.#endpoints.get(id) === endpoint);
      if (isSame) return;
      this.#endpoints.clear();
      for (const [id, endpoint] of found) this.#endpoints.set(id, endpoint);
      this.#tell();
    });
  }

  /** As it is stored now. */
  async #readOne(id: string): Promise<Endpoint | null> {
    const row = (await this.#read()).find((one) => one.id === id);
    return row === undefined ? null : this.#readable(row);
  }

  #readable(row: EndpointRow): Endpoint | null {
    try {
      return endpointOf(row);
    } catch (err) {
      this.#options.logger.error({ err, endpointId: row.id }, 'an endpoint has a filter that can not be read; nothing is sent to it');
      return null;
    }
  }

  async #read(): ReturnType<NotificationStore['endpoints']> {
    try {
      return await this.#options.store.endpoints();
    } catch (cause) {
      if (cause instanceof StoreError) this.#options.metrics.count('store_errors_total', { code: cause.code });
      throw cause;
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work, work);
    this.#last = result.catch(() => {});
    return result;
  }
}
