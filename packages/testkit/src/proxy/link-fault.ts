/** What a link does until it is told otherwise. */
export type LinkFault =
  | { readonly kind: 'pass' }
  /** Nothing listens; connections there are get reset. */
  | { readonly kind: 'refuse' }
  /** Connections are taken, bytes swallowed both ways. A connection that has lost bytes is reset when this ends. */
  | { readonly kind: 'blackhole' }
  /** Bytes wait both ways and go on when this ends, as behind a switch that was rebooted. */
  | { readonly kind: 'hold' }
  /** Each piece arrives so much later, order kept. */
  | { readonly kind: 'latency'; readonly ms: number; readonly jitterMs: number }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number };

/** What happens once, to the next connection or answer that it can happen to. */
export type LinkAccident =
  /** The next whole answer is swallowed; the connection stays. Answers are told apart by Kafka's framing. */
  | 'drop-response'
  /** The next answer is cut in its middle, and the connection reset. */
  | 'reset-mid-frame'
  /** The server's end of each connection there is goes; the client is not told, and what it sends is swallowed. */
  | 'half-open';

export type LinkFaultKind = Exclude<LinkFault['kind'], 'pass'> | LinkAccident;

export const PASS: LinkFault = { kind: 'pass' };
