import { capitalise, makeWord } from './make-words.ts';
import type { Random } from './random.ts';

/** Made-up companies with the people who decide there, and the campaigns that court them. The same random sequence gives the same world. */
export interface World {
  readonly companies: readonly Company[];
  readonly campaigns: readonly Campaign[];
}

export interface Company {
  /** Its domain, which ends in .example and so can belong to nobody. */
  readonly id: string;
  readonly name: string;
  readonly industry: string;
  readonly employees: number;
  readonly tier: string;
  readonly isTarget: boolean;
  readonly owner: string;
  readonly people: readonly Person[];
}

export interface Person {
  /** Address of the person at the company's domain. */
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly title: string;
  readonly seniority: string;
}

export interface Campaign {
  readonly id: string;
  readonly channel: string;
  /** Each with the weight of its clicks: some creatives work better. */
  readonly creatives: readonly (readonly [weight: number, id: string])[];
}

const INDUSTRIES = ['software', 'manufacturing', 'logistics', 'energy', 'health', 'finance', 'retail'];
const COMPANY_FORMS = ['Systems', 'Works', 'Group', 'Labs', 'Logistics', 'Energy', 'Partners', 'Industries'];
const POSTS: readonly (readonly [role: string, title: string, seniority: string])[] = [
  ['decision_maker', 'Chief Operating Officer', 'c_level'],
  ['champion', 'Head of Operations', 'director'],
  ['influencer', 'Senior Engineer', 'senior'],
  ['user', 'Analyst', 'junior'],
  ['user', 'Coordinator', 'junior'],
  ['influencer', 'Purchasing Manager', 'manager'],
  ['decision_maker', 'Finance Director', 'director'],
];
const CAMPAIGNS: readonly (readonly [id: string, channel: string])[] = [
  ['launch-display', 'display'],
  ['retargeting', 'display'],
  ['founders-social', 'social'],
  ['search-brand', 'search'],
  ['spring-webinar', 'email'],
];

export function makeWorld(random: Random, companyCount: number): World {
  const owners = Array.from({ length: 4 }, () => makePersonName(random)[0]);
  const taken = new Set<string>();
  const companies = Array.from({ length: companyCount }, () => makeCompany(random, owners, taken));
  return { companies, campaigns: CAMPAIGNS.map(([id, channel]) => makeCampaign(random, id, channel)) };
}

function makeCompany(random: Random, owners: readonly string[], taken: Set<string>): Company {
  let word = makeWord(random, 2);
  while (taken.has(word)) word = makeWord(random, 3);
  taken.add(word);
  const id = `${word}.example`;
  const employees = Math.round(20 * 10 ** (random.next() * 3));
  return {
    id,
    name: `${capitalise(word)} ${random.pick(COMPANY_FORMS)}`,
    industry: random.pick(INDUSTRIES),
    employees,
    tier: employees > 2000 ? 'enterprise' : employees > 200 ? 'mid_market' : 'small',
    isTarget: random.chance(0.6),
    owner: random.pick(owners),
    people: makePeople(random, id),
  };
}

/** Three to seven people; the first three are always a decision maker, a champion and an influencer. */
function makePeople(random: Random, domain: string): Person[] {
  const people = new Map<string, Person>();
  for (const [role, title, seniority] of POSTS.slice(0, random.integer(3, POSTS.length))) {
    const [name, local] = makePersonName(random);
    const id = `${local}@${domain}`;
    people.set(id, { id, name, role, title, seniority });
  }
  return [...people.values()];
}

function makePersonName(random: Random): [name: string, local: string] {
  const first = makeWord(random, 2);
  const last = makeWord(random, random.integer(2, 3));
  return [`${capitalise(first)} ${capitalise(last)}`, `${first}.${last}`];
}

function makeCampaign(random: Random, id: string, channel: string): Campaign {
  const creatives = ['a', 'b', 'c'].map((letter) => [random.integer(1, 8), `${id}-${letter}`] as const);
  return { id, channel, creatives };
}
