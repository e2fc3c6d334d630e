import { describe, expect, it, test } from 'vitest';
import { createAddressGuard, networkProblem } from './address-guard.ts';

const guard = createAddressGuard({ allowedNetworks: [], allowsHttp: false, ports: new Set([443, 8443]) });

describe('a URL is refused that', () => {
  test.each([
    ['is loopback', 'https://127.0.0.1/'],
    ['is any loopback', 'https://127.255.1.2/'],
    ['is this host', 'https://0.0.0.0/'],
    ['is short for loopback', 'https://127.1/'],
    ['is zero', 'https://0/'],
    ['is loopback as one decimal number', 'https://2130706433/'],
    ['is loopback as one hex number', 'https://0x7f000001/'],
    ['is loopback in hex parts', 'https://0x7f.0x0.0x0.0x1/'],
    ['is loopback in octal', 'https://0177.0.0.01/'],
    ['is loopback as one octal number', 'https://017700000001/'],
    ['is loopback in full-width digits', 'https://１２７.０.０.１/'],
    ['is loopback percent-encoded', 'https://%31%32%37.0.0.1/'],
    ['is loopback with a dot at the end', 'https://127.0.0.1./'],
    ['is private, 10/8', 'https://10.1.2.3/'],
    ['is private, 172.16/12', 'https://172.31.255.255/'],
    ['is private, 192.168/16', 'https://192.168.0.1/'],
    ['is carrier-grade NAT', 'https://100.64.0.1/'],
    ['is the metadata service', 'https://169.254.169.254/latest/meta-data/'],
    ['is the metadata service in decimal', 'https://2852039166/'],
    ['is link-local', 'https://169.254.0.1/'],
    ['is of the benchmark network', 'https://198.18.0.1/'],
    ['is of the documentation networks', 'https://192.0.2.1/'],
    ['is of the documentation networks (2)', 'https://198.51.100.1/'],
    ['is of the documentation networks (3)', 'https://203.0.113.9/'],
    ['is multicast', 'https://224.0.0.1/'],
    ['is reserved', 'https://240.0.0.1/'],
    ['is broadcast', 'https://255.255.255.255/'],
    ['is IPv6 loopback', 'https://[::1]/'],
    ['is IPv6 loopback written out', 'https://[0:0:0:0:0:0:0:1]/'],
    ['is the unspecified IPv6 address', 'https://[::]/'],
    ['is IPv6 link-local', 'https://[fe80::1]/'],
    ['is IPv6 unique-local', 'https://[fd00::1]/'],
    ['is the metadata service over IPv6', 'https://[fd00:ec2::254]/'],
    ['is IPv6 site-local', 'https://[fec0::1]/'],
    ['is IPv6 multicast', 'https://[ff02::1]/'],
    ['is mapped IPv4', 'https://[::ffff:127.0.0.1]/'],
    ['is mapped IPv4 in hex', 'https://[::ffff:7f00:1]/'],
    ['is mapped public IPv4, a disguise that nobody needs', 'https://[::ffff:8.8.8.8]/'],
    ['is compatible IPv4', 'https://[::127.0.0.1]/'],
    ['is 6to4 of loopback', 'https://[2002:7f00:1::]/'],
    ['is NAT64 of the metadata service', 'https://[64:ff9b::169.254.169.254]/'],
    ['is local NAT64', 'https://[64:ff9b:1::a00:1]/'],
    ['is Teredo', 'https://[2001:0:7f00:1::]/'],
    ['is for documents, IPv6', 'https://[2001:db8::1]/'],
    ['is localhost', 'https://localhost/'],
    ['is localhost in capitals', 'https://LOCALHOST/'],
    ['is localhost with a dot', 'https://localhost./'],
    ['is below localhost', 'https://a.localhost/'],
    ['has a dot at its end', 'https://hooks.example./'],
    ['holds a user name', 'https://user@hooks.example/'],
    ['holds a password', 'https://:pass@hooks.example/'],
    ['hides its host behind a user name', 'https://hooks.example@127.0.0.1/'],
    ['holds a fragment', 'https://hooks.example/#a'],
    ['uses another port', 'https://hooks.example:6379/'],
    ['uses port 22', 'https://hooks.example:22/'],
    ['is http', 'http://hooks.example/'],
    ['is a file', 'file:///etc/passwd'],
    ['is gopher', 'gopher://127.0.0.1:6379/_'],
    ['is data', 'data:text/plain,hello'],
    ['is ftp', 'ftp://hooks.example/'],
    ['is relative', '/hooks'],
    ['is no URL', 'https://'],
    ['is empty', ''],
  ])('%s: %s', (_, url) => {
    expect(guard.judgeUrl(url)).toEqual(expect.any(String));
  });
});

describe('a URL is taken that', () => {
  test.each([
    ['names a host', 'https://hooks.example/a?b=c'],
    ['uses 8443', 'https://hooks.example:8443/'],
    ['is a public address', 'https://8.8.8.8/'],
    ['is a public IPv6 address', 'https://[2606:4700::1111]/'],
    ['looks like localhost', 'https://localhost.example/'],
  ])('%s: %s', (_, url) => {
    expect(guard.judgeUrl(url)).toBeNull();
  });
});

describe('what the settings allow', () => {
  const open = createAddressGuard({ allowedNetworks: ['127.0.0.0/8', 'fd00::/8'], allowsHttp: true, ports: new Set([80, 9000]) });

  test.each([
    ['an address of the network', 'http://127.0.0.1:9000/', true],
    ['localhost, where loopback is allowed', 'http://localhost/', true],
    ['an IPv6 address of the network', 'http://[fd12::1]/', true],
    ['an address of the network, mapped', 'http://[::ffff:127.0.0.1]/', true],
    ['another private address', 'http://10.0.0.1/', false],
    ['the metadata service', 'http://169.254.169.254/', false],
    ['another port', 'http://127.0.0.1:9001/', false],
    ['IPv6 loopback, which is another network', 'http://[::1]/', false],
  ])('%s: %s, %s', (_, url, isTaken) => {
    expect(open.judgeUrl(url) === null).toBe(isTaken);
  });

  it('judges resolved addresses alike, with a zone too', () => {
    expect(['127.9.9.9', 'fd00::5', '8.8.4.4'].map((address) => open.judgeAddress(address))).toEqual([null, null, null]);
    for (const address of ['10.0.0.1', 'fe80::1%eth0', '::1', 'nonsense', '']) expect(open.judgeAddress(address)).not.toBeNull();
  });

  test.each([
    ['10.0.0.0/8', true],
    ['fd00::/8', true],
    ['::1/128', true],
    ['10.0.0.0/33', false],
    ['10.0.0.0', false],
    ['10.0.0/8', false],
    ['fd00::/129', false],
    ['hooks.example/8', false],
  ])('%s names a network: %s', (text, isOne) => {
    expect(networkProblem(text) === null).toBe(isOne);
  });
});
