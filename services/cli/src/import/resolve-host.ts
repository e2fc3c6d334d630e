import { parse } from 'tldts';

/** Tables of a log's hosts repeat much: the suffix list is asked once for each, up to this many at a time. */
const REMEMBERED_MAX = 50_000;

/**
 * The account of a host: its registrable domain, the public suffix and one label before it. Null for an address, and for a host that is
 * itself a suffix or a single label. Suffixes that the list does not know count as one label, as the list's own rules say.
 */
export function createHostResolver(): (host: string) => string | null {
  const remembered = new Map<string, string | null>();

  return function accountOfHost(host: string): string | null {
    const known = remembered.get(host);
    if (known !== undefined) return known;
    const account = registrableDomain(host);
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    remembered.set(host, account);
    return account;
  };
}

function registrableDomain(host: string): string | null {
  const { domain, isIp } = parse(host, { allowPrivateDomains: true, extractHostname: false });
  // A domain whose last label is a number is a cut or mistyped address, such as 10.1.2.
  if (isIp === true || domain === null || /(?:^|\.)\d+$/.test(domain)) return null;
  return domain;
}

/** Host names compare without case and without the root's dot. */
export function normaliseHost(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}
