import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { Target } from './field-kinds.ts';
import { createIdChain } from './id-chain.ts';
import { parseAssignments } from './map-columns.ts';
import { createTally, type Item, type Refusal } from './outcome.ts';
import { createCsvReader, delimiterOf } from './read-csv.ts';

interface Given {
  readonly as?: Target;
  readonly map?: string;
  readonly set?: string;
  readonly shiftMs?: number;
}

async function read(text: string, { as = 'touches', map = '', set = '', shiftMs = 0 }: Given) {
  const assignments = (pairs: string, option: string): Map<string, string> => parseAssignments(pairs === '' ? [] : [pairs], option);
  const reader = createCsvReader({
    target: as,
    map: assignments(map, '--map'),
    set: assignments(set, '--set'),
    zoneMinutes: 0,
    updatedAt: 7,
  });
  const tally = createTally();
  const items: Item[] = [];
  const refusals: Refusal[] = [];
  async function* chunks(): AsyncGenerator<Buffer> {
    yield Buffer.from(text.slice(0, 9));
    yield Buffer.from(text.slice(9));
  }
  for await (const stretch of reader(chunks(), { tally, chain: createIdChain(''), shiftMs })) {
    items.push(...stretch.items);
    refusals.push(...stretch.refusals);
  }
  const bodies = items.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  return { tally, items, refusals, bodies };
}

describe('rows', () => {
  const rows: [what: string, csv: string, given: Given, bodies: Record<string, unknown>[]][] = [
    [
      'a mapping with a constant and a property',
      'company,email,type,date,room\nacme,jo@acme.example,meeting,2026-01-31,Blue\n',
      { map: 'accountId=company,contactId=email,kind=type,occurredAt=date,properties.room=room', set: 'source=crm' },
      [
        {
          accountId: 'acme',
          contactId: 'jo@acme.example',
          kind: 'meeting',
          occurredAt: Date.UTC(2026, 0, 31),
          properties: { room: 'Blue' },
          source: 'crm',
        },
      ],
    ],
    [
      'columns that bear the names of fields',
      'accountId,kind,minutes,remark\nacme,call,12.5,x\n',
      {},
      [{ accountId: 'acme', kind: 'call', minutes: 12.5 }],
    ],
    ['empty cells say nothing', 'accountId,kind,minutes,contactId\nacme,call,, \n', {}, [{ accountId: 'acme', kind: 'call' }]],
    [
      'semicolons, quotes and line breaks in cells',
      'accountId;kind;url\n"a;b";call;"x ""y""\n\nz"\n',
      {},
      [{ accountId: 'a;b', kind: 'call', url: 'x "y"\n\nz' }],
    ],
    [
      'a column whose name has a comma',
      '"Company, legal",kind\nacme,call\n',
      { map: 'accountId=Company, legal' },
      [{ accountId: 'acme', kind: 'call' }],
    ],
    ['an id of its own', 'id,accountId,kind\nm1,acme,call\n', {}, [{ id: 'm1', accountId: 'acme', kind: 'call' }]],
    [
      'accounts: lists, flags, numbers, attributes',
      'account,sites,staff,wanted,region\nAcme,acme.example;acme.test,"12",yes,EU\n',
      { as: 'accounts', map: 'id=account,name=account,domains=sites,employees=staff,targetList=wanted,attributes.region=region' },
      [
        {
          updatedAt: 7,
          id: 'Acme',
          name: 'Acme',
          domains: ['acme.example', 'acme.test'],
          employees: 12,
          targetList: true,
          attributes: { region: 'EU' },
        },
      ],
    ],
    [
      'spend: an id of two columns, and days',
      'day,campaign,cost\n2026-01-31T10:00:00Z,launch,12.30\n',
      { as: 'spend', map: 'id=day+campaign,date=day,campaignId=campaign,amount=cost' },
      [{ updatedAt: 7, id: '2026-01-31T10:00:00Z/launch', date: '2026-01-31', campaignId: 'launch', amount: 12.3 }],
    ],
    [
      'names that objects have by nature',
      'accountId,kind,x\nacme,call,1\n',
      { map: 'properties.__proto__=x' },
      [{ accountId: 'acme', kind: 'call', properties: JSON.parse('{"__proto__":"1"}') }],
    ],
  ];
  test.each(rows)('%s', async (_, csv, given, bodies) => {
    const result = await read(csv, given);
    expect(result.refusals).toEqual([]);
    const isIdExpected = bodies.some((body) => 'id' in body);
    const got = result.bodies.map(({ id, ...body }) => (isIdExpected ? { id, ...body } : body));
    expect(got).toEqual(bodies);
  });

  it('shifts the times of touches and notes the newest', async () => {
    const { bodies, tally } = await read('accountId,kind,occurredAt\na,call,1700000000000\nb,call,1600000000000\n', { shiftMs: 5000 });
    expect(bodies.map((body) => body['occurredAt'])).toEqual([1700000005000, 1600000005000]);
    expect(tally.newestAt).toBe(1700000000000);
  });
});

describe('bad rows', () => {
  const rows: [what: string, csv: string, refused: [line: number, reason: string][], taken: string[]][] = [
    ['too few cells', 'accountId,kind\na,call\nb\nc,call\n', [[3, 'bad_csv']], ['a', 'c']],
    ['no date', 'accountId,kind,occurredAt\na,call,yesterday\nc,call,2026-01-31\n', [[2, 'bad_value']], ['c']],
    [
      'no number',
      'accountId,kind,minutes\na,call,"1,5"\nc,call,0x10\nd,call,15\n',
      [
        [2, 'bad_value'],
        [3, 'bad_value'],
      ],
      ['d'],
    ],
    ['a stray quote swallows nothing', 'accountId,kind\na,ca"ll\nb,call\nc,call\n', [[2, 'bad_csv']], ['b', 'c']],
    [
      'two stray quotes swallow nothing',
      'accountId,kind\na,ca"ll\nb,call\nc,ca"ll\nd,call\n',
      [
        [2, 'bad_csv'],
        [4, 'bad_csv'],
      ],
      ['b', 'd'],
    ],
    ['a quote that is never closed', 'accountId,kind\na,call\n"b,call\nc,call\n', [[3, 'bad_csv']], ['a', 'c']],
  ];
  test.each(rows)('%s', async (_, csv, refused, taken) => {
    const { refusals, bodies } = await read(csv, {});
    expect(refusals.map(({ line, reason }) => [line, reason])).toEqual(refused);
    expect(bodies.map((body) => body['accountId'])).toEqual(taken);
  });

  it('every line is taken, refused, blank or the header, whatever the quotes', async () => {
    const line = fc.stringMatching(/^[ab",]{0,6}$/);
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 12 }), async (lines) => {
        const { items, refusals, tally } = await read(`accountId,kind\n${lines.map((text) => `${text}\n`).join('')}`, {});
        const covered = [...items, ...refusals].reduce((sum, { text }) => sum + text.split('\n').length, 0);
        expect(covered + tally.blank + 1).toBe(tally.lines);
        expect(tally.lines).toBe(lines.length + 1);
      }),
    );
  });
});

describe('wrong mappings', () => {
  const rows: [what: string, given: Given, said: RegExp][] = [
    ['a field that does not exist', { map: 'account=company,kind=type' }, /no field 'account'.*accountId/],
    ['a column that does not exist', { map: 'accountId=firm', set: 'kind=call' }, /no column 'firm'.*company, type/],
    ['a needed field that nothing gives', { map: 'accountId=company' }, /'kind' of the touches.*--set kind=/],
    ['properties of facts', { as: 'leads', map: 'id=company,properties.x=type' }, /no field 'properties.x'/],
    ['a field twice', { map: 'kind=type,kind=company' }, /'kind' twice/],
    ['no pair', { map: 'kind' }, /form field=name/],
  ];
  test.each(rows)('%s', async (_, given, said) => {
    await expect(read('company,type\nacme,call\n', given)).rejects.toThrow(said);
  });
});

test.each([
  ['a,b;c,d', ','],
  ['a;b;c,d', ';'],
  ['a\tb', '\t'],
  ['alone', ','],
])('delimiter of %j', (header, delimiter) => {
  expect(delimiterOf(header)).toBe(delimiter);
});
