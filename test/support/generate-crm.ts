import { createRandom } from './random.ts';

const SECTORS = ['retail', 'technolgy', 'medical', 'software'];
const PRODUCTS = ['GTX Basic', 'GTXPro', 'MG Special'];
const STAGES = ['Won', 'Won', 'Lost', 'Engaging', 'Prospecting'];
const DAY_MS = 86_400_000;

/** A CRM export of made-up companies with the oddities that real ones have: typos, deals of nobody, deals without dates. */
export function generateCrm(seed: number, deals: number): { readonly accounts: string; readonly pipeline: string } {
  const random = createRandom(seed);
  const names = Array.from({ length: 30 }, (_, at) => `Company ${at}`);
  const accounts = names.map((name, at) => {
    const location = at === 3 ? 'Philipines' : 'United States';
    return [
      name,
      random.pick(SECTORS),
      1990 + at,
      random.whole(1, 9000) / 10,
      random.whole(10, 9000),
      location,
      at > 20 ? 'Company 1' : '',
    ];
  });
  const day = (at: number): string => new Date(at).toISOString().slice(0, 10);
  const pipeline = Array.from({ length: deals }, (_, at) => {
    const stage = random.pick(STAGES);
    const engagedAt = Date.UTC(2016, 9, 20) + random.whole(0, 400) * DAY_MS;
    const isClosed = stage === 'Won' || stage === 'Lost';
    const closedAt = engagedAt + random.whole(1, 100) * DAY_MS;
    const value = stage === 'Won' ? random.whole(40, 30_000) : 0;
    const engaged = stage === 'Prospecting' ? '' : day(engagedAt);
    const account = random.chance(isClosed ? 0.02 : 0.6) ? '' : random.pick(names);
    return [
      `DEAL${at}`,
      `Agent ${at % 7}`,
      random.pick(PRODUCTS),
      account,
      stage,
      engaged,
      isClosed ? day(closedAt) : '',
      isClosed ? value : '',
    ];
  });
  const table = (header: string, rows: readonly unknown[][]): string => `${[header, ...rows.map((row) => row.join(','))].join('\n')}\n`;
  return {
    accounts: table('account,sector,year_established,revenue,employees,office_location,subsidiary_of', accounts),
    pipeline: table('opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value', pipeline),
  };
}
