/** The one part of kafkajs that we use outside of its public types. */
declare module 'kafkajs/src/broker/saslAuthenticator/index.js' {
  /** One request as kafkajs encodes it, with how to read its answer. */
  export interface SaslExchange {
    readonly request: { readonly apiKey: number; readonly apiVersion: number; readonly encode: () => Promise<{ readonly buffer: Buffer }> };
    readonly response: { readonly decode: (bytes: Buffer) => Promise<unknown>; readonly parse: (decoded: unknown) => Promise<unknown> };
  }

  interface SaslConnection {
    readonly host: string;
    readonly port: number;
    readonly sasl: object;
    readonly send: (exchange: SaslExchange) => Promise<unknown>;
  }

  interface SaslLogger {
    readonly namespace: () => SaslLogger;
    readonly debug: () => void;
    readonly error: () => void;
  }

  export default class SASLAuthenticator {
    /** Milliseconds after which the broker wants to see the credentials again, in decimal digits; 0 for never. */
    readonly sessionLifetime: string;
    constructor(
      connection: SaslConnection,
      logger: SaslLogger,
      versions: Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>>,
      supportsAuthenticate: boolean,
    );
    authenticate(): Promise<void>;
  }
}
