/** The closed list of what can go wrong, with whether the same call may succeed later. */
export const STORE_ERRORS = {
  unavailable: { retriable: true, means: 'ClickHouse did not answer, or answered that it can not right now' },
  denied: { retriable: true, means: 'ClickHouse no longer lets this user in or do that, or its certificate is not trusted any more' },
  refused: { retriable: false, means: 'at the start: ClickHouse does not let this user in or do that, or its certificate is not trusted' },
  rejected: { retriable: false, means: 'ClickHouse refused the statement, or can not work with what it was given' },
  too_large: { retriable: false, means: 'a question takes more memory than one may; a narrower one does not' },
  locked: { retriable: false, means: 'another process has the chDB directory open' },
  schema_newer: { retriable: false, means: 'the schema was made by a newer version of this program' },
  schema_edited: { retriable: false, means: 'a migration was edited after it was applied' },
  closed: { retriable: false, means: 'the store is closed' },
} as const;

export type StoreErrorCode = keyof typeof STORE_ERRORS;

export class StoreError extends Error {
  readonly code: StoreErrorCode;
  readonly retriable: boolean;

  constructor(code: StoreErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
    this.retriable = STORE_ERRORS[code].retriable;
  }
}
