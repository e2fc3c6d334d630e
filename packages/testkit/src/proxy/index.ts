export { PASS } from './link-fault.ts';
export type { LinkAccident, LinkFault, LinkFaultKind } from './link-fault.ts';
export { READ_ONLY, startStoreProxy, TOO_MANY_PARTS } from './start-store-proxy.ts';
export type { StoreException, StoreFault, StoreFaultKind, StoreProxy, StoreProxyOptions } from './start-store-proxy.ts';
export { startTcpProxy } from './start-tcp-proxy.ts';
export type { TcpProxy, TcpProxyOptions } from './start-tcp-proxy.ts';
