import { BlockList, isIP } from 'node:net';

/**
 * Where messages may be sent. Whoever may make an endpoint chooses its URL, and this process stands in a network that others can't reach: so
 * only public addresses are taken, over TLS, on the usual ports, unless the settings say more.
 *
 * A URL is judged when the endpoint is made, for a clear answer, and before each request. What its name stands for is judged when a connection
 * is made, by the very addresses that are connected to: a name may stand for another address a moment later.
 */

/** IPv4 that is not of the public internet: IANA's registry of special-purpose addresses, multicast, and what is reserved. */
const SPECIAL_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10', // carrier-grade NAT
  '127.0.0.0/8',
  '169.254.0.0/16', // link-local, where clouds have their metadata
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24', // relays of 6to4
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4', // multicast
  '240.0.0.0/4',
];

/** All that is assigned as public IPv6. The rest holds loopback, link-local, unique-local, multicast, and IPv4 in the disguise of ::ffff: and 64:ff9b::. */
const PUBLIC_IPV6 = ['2000::/3'];

/** What of that is not: these hold an IPv4 address that a gateway would unpack, or are for documents. */
const SPECIAL_IPV6 = [
  '2001::/23', // protocols, among them Teredo
  '2001:db8::/32',
  '2002::/16', // 6to4
  '2620:4f:8000::/48',
  '3fff::/20',
  '5f00::/16',
];

export interface GuardOptions {
  /** Networks that may be reached though they are not public. */
  readonly allowedNetworks: readonly string[];
  /** http: too, so that messages go over the network in the clear. */
  readonly allowsHttp: boolean;
  readonly ports: ReadonlySet<number>;
}

/** Why something may not be sent to: for people, without what the target answered. */
export type Refusal = string;

export interface AddressGuard {
  /** Null when it may be sent to, as far as can be told without resolving its name. */
  judgeUrl(text: string): Refusal | null;
  /** Null when the address may be connected to. */
  judgeAddress(address: string): Refusal | null;
}

export function createAddressGuard({ allowedNetworks, allowsHttp, ports }: GuardOptions): AddressGuard {
  const special = blockListOf([...SPECIAL_IPV4, ...SPECIAL_IPV6]);
  const publicIpv6 = blockListOf(PUBLIC_IPV6);
  const allowed = blockListOf(allowedNetworks);

  function judgeAddress(text: string): Refusal | null {
    // An address with a zone, as fe80::1%eth0, is of this machine's own links.
    const address = text.split('%', 1)[0]!;
    const version = isIP(address);
    if (version === 0) return 'what the name stands for is no address';
    const family = version === 4 ? 'ipv4' : 'ipv6';
    if (allowed.check(address, family)) return null;
    const isPublic = !special.check(address, family) && (version === 4 || publicIpv6.check(address, family));
    return isPublic ? null : `the address ${address} is not public; NOTIFY_ALLOW_PRIVATE can name its network`;
  }

  function judgeUrl(text: string): Refusal | null {
    if (!URL.canParse(text)) return 'must be a whole URL';
    // WHATWG's reading, which is that of the client too, turns 0x7f.1, 2130706433 and 017700000001 into 127.0.0.1.
    const url = new URL(text);
    if (url.protocol !== 'https:' && !(allowsHttp && url.protocol === 'http:')) {
      return allowsHttp ? 'must begin with https:// or http://' : 'must begin with https://; NOTIFY_ALLOW_HTTP lets http:// through';
    }
    if (url.username !== '' || url.password !== '') return 'must hold no user name or password';
    if (url.hash !== '') return 'must hold no fragment';
    const port = portOf(url);
    if (!ports.has(port)) return `must not use port ${port}; NOTIFY_PORTS names those that may be used`;
    const host = hostOf(url);
    if (host.endsWith('.')) return 'must name its host without a dot at the end';
    if (isIP(host) !== 0) return judgeAddress(host);
    const isLocal = host === 'localhost' || host.endsWith('.localhost');
    // Whoever allows loopback means its name as well; what it stands for is judged like any other.
    if (isLocal && judgeAddress('127.0.0.1') !== null) return judgeAddress('127.0.0.1');
    return null;
  }

  return { judgeUrl, judgeAddress };
}

/** The host as it is resolved or connected to: IPv6 without its brackets. */
function hostOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

const CIDR = /^([\da-fA-F:.]+)\/(\d{1,3})$/;

/** Why a text names no network; null when it does. */
export function networkProblem(text: string): string | null {
  const [, address = '', bits = ''] = CIDR.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0 || Number(bits) > (version === 4 ? 32 : 128)) return `'${text}' is no network such as 10.0.0.0/8 or fd00::/8`;
  return null;
}

function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const problem = networkProblem(network);
    if (problem !== null) throw new RangeError(problem);
    const [address = '', bits] = network.split('/');
    list.addSubnet(address, Number(bits), isIP(address) === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}
