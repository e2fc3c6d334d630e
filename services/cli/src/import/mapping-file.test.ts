import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createRowMapper } from './map-columns.ts';
import { readMappingFile } from './mapping-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'touchstone-mapping-'));
afterAll(() => rmSync(directory, { recursive: true }));

function fileOf(content: string): string {
  const path = join(directory, `${Math.random()}.json`);
  writeFileSync(path, content);
  return path;
}

describe('a mapping file', () => {
  it('reads a CRM export: other names, typos put right and reported, empty cells filled in and reported', () => {
    const { as, map, set, values: rules } = readMappingFile('crm-opportunities');
    expect(as).toBe('opportunities');
    const header = ['opportunity_id', 'sales_agent', 'product', 'account', 'deal_stage', 'engage_date', 'close_date', 'close_value'];
    const mapRow = createRowMapper(header, { target: as!, map, set, rules, zoneMinutes: 0 });
    expect(mapRow(['1C', 'Moses', 'GTXPro', 'Cancity', 'Won', '2016-10-20', '2017-03-01', '1054'])).toEqual({
      fields: {
        id: '1C',
        accountId: 'Cancity',
        name: 'GTX Pro',
        stage: 'Won',
        outcome: 'won',
        createdAt: Date.UTC(2016, 9, 20),
        closedAt: Date.UTC(2017, 2, 1),
        amount: 1054,
        owner: 'Moses',
        currency: 'USD',
      },
      mended: ["name: 'GTXPro' became 'GTX Pro'"],
    });
    expect(mapRow(['1D', 'Moses', 'MG Special', '', 'Prospecting', '', '', ''])).toEqual({
      fields: { id: '1D', accountId: 'unknown', name: 'MG Special', stage: 'Prospecting', owner: 'Moses', currency: 'USD' },
      mended: [
        "accountId: empty became 'unknown'",
        'createdAt: empty is left out: the time of the first version that has it stands for it',
      ],
    });
  });

  it.each([
    ['{', /can not be read/],
    ['[]', /is no JSON object/],
    ['{"as":"deals"}', /must be one of touches/],
    ['{"maps":{}}', /has 'maps'. It may have: as, map/],
    ['{"map":{"id":1}}', /'map', which must be an object of texts/],
    ['{"mend":{"name":"x"}}', /'mend.name', which must be an object of texts/],
  ])('%s is refused with what is wrong', (content, message) => {
    expect(() => readMappingFile(fileOf(content))).toThrow(message);
  });

  it('that is not there is told', () => {
    expect(() => readMappingFile('no-such')).toThrow(/no-such can not be read/);
  });
});
