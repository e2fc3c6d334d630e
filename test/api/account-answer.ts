/** Answers of the API as its documentation writes them, for tests to read: no code of the services is used here. */

export interface Figures {
  readonly touches: number;
  readonly minutes: number;
  readonly byKind: Readonly<Record<string, number>>;
  readonly contacts: number;
  readonly newContacts: number;
}

export interface AccountAnswer {
  readonly accountId: string;
  readonly score: number;
  readonly points: number;
  readonly asOf: string;
  readonly version: number;
  readonly modelVersion: string;
  readonly stage: string | null;
  readonly qualified: boolean | null;
  readonly engaged: boolean;
  readonly lastTouchAt: string | null;
  readonly windows: Readonly<Record<'24h' | '7d' | '30d' | '90d', Figures & { readonly previous: Figures }>>;
  readonly reach: {
    readonly contacts: number;
    readonly knownContacts: number;
    readonly roles: { readonly wanted: string[]; readonly covered: string[]; readonly missing: string[] };
    readonly byCampaign: Readonly<Record<string, number>>;
  };
  readonly profile: Readonly<Record<string, unknown>> | null;
}

export interface ListedAnswer {
  readonly accountId: string;
  readonly score: number;
  readonly points: number;
  readonly asOf: string;
  readonly name: string | null;
  readonly [field: string]: unknown;
}

export interface Page<Item> {
  readonly data: readonly Item[];
  readonly nextCursor: string | null;
}
