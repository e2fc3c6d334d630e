import { expect, test } from 'vitest';
import { createHostResolver, normaliseHost } from './resolve-host.ts';

const rows: [what: string, host: string, account: string | null][] = [
  ['a host of a company', 'wpbfl2-45.gate.net', 'gate.net'],
  ['the domain itself', 'gate.net', 'gate.net'],
  ['a suffix of two labels', 'www.bbc.co.uk', 'bbc.co.uk'],
  ['a private suffix: its customers are not one account', 'shop.github.io', 'shop.github.io'],
  ['capitals and the dot of the root', 'WWW.EPA.GOV.', 'epa.gov'],
  ['an underscore, as old hosts have', 'port1_9.worldramp.net', 'worldramp.net'],
  ['a suffix the list does not have', 'www.acme.example', 'acme.example'],
  ['an IPv4 address', '141.243.1.172', null],
  ['an IPv6 address', '2001:db8::1', null],
  ['half an address', '10.1.2', null],
  ['a single label', 'localhost', null],
  ['a suffix alone', 'co.uk', null],
];
test.each(rows)('%s', (_, host, account) => {
  const accountOf = createHostResolver();
  expect([accountOf(normaliseHost(host)), accountOf(normaliseHost(host))]).toEqual([account, account]);
});
