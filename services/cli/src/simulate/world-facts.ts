import type { World } from './make-world.ts';

/** The companies of a world as facts for POST /v1/accounts, one line of JSON each. */
export function* accountFacts({ companies }: World, updatedAt: number): Generator<string> {
  for (const { id, name, industry, employees, tier, isTarget, owner } of companies) {
    yield JSON.stringify({ id, updatedAt, name, domains: [id], industry, employees, tier, targetList: isTarget, owner });
  }
}

/** Their people as facts for POST /v1/contacts. */
export function* contactFacts({ companies }: World, updatedAt: number): Generator<string> {
  for (const { id: accountId, people } of companies) {
    for (const { id, role, title, seniority } of people)
      yield JSON.stringify({ id, updatedAt, accountId, role, email: id, title, seniority });
  }
}
