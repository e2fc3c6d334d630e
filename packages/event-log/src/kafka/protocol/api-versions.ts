import type { Api } from './api.ts';

export interface ApiVersionsResponse {
  readonly errorCode: number;
  readonly apis: readonly { readonly key: number; readonly min: number; readonly max: number }[];
}

/** What a broker understands. Version 0 is answered by every broker. */
export const apiVersions: Api<null, ApiVersionsResponse> = {
  name: 'ApiVersions',
  key: 18,
  version: 0,
  flexible: false,
  encode: () => {},
  decode: (reader) => ({
    errorCode: reader.int16(),
    apis: reader.list(6, () => ({ key: reader.int16(), min: reader.int16(), max: reader.int16() })),
  }),
};
