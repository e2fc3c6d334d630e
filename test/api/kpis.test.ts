import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, openTemporaryServer, type TemporaryServer } from './temporary-server.ts';

interface Kpi {
  readonly value: number | null;
  readonly reason: string | null;
  readonly numerator: number | null;
  readonly denominator: number | null;
}

let running: TemporaryServer;
const MARCH = 'from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z';

beforeAll(async () => {
  running = await openTemporaryServer();
});
afterAll(() => running.close());

describe('KPIs', () => {
  it('come from facts that were posted, with what they are made of', async () => {
    const { server } = running;
    // Answers are kept for a while, so that what is asked once more later has to be another question.
    let asked = 0;
    const ask = (query: string): Promise<Kpi> => {
      const to = new Date(Date.UTC(2026, 3, 1) + ++asked).toISOString();
      return server.get<Kpi>(`/v1/kpis/qualified_lead_rate?from=2026-03-01T00:00:00Z&to=${to}${query}`);
    };
    expect(await ask('')).toMatchObject({ value: null, reason: 'nothing is known of leads' });
    await server.post('/v1/leads', [
      { id: 'l1', accountId: 'a', createdAt: '2026-03-02T00:00:00Z', qualifiedAt: '2026-03-09T00:00:00Z' },
      { id: 'l2', createdAt: '2026-03-02T00:00:00Z' },
    ]);
    const kpi = await eventually(
      () => ask('&interval=week'),
      ({ denominator }) => denominator === 2,
    );
    expect(kpi).toMatchObject({
      value: 50,
      numerator: 1,
      denominator: 2,
      unit: 'percent',
      from: '2026-03-01T00:00:00.000Z',
      timeZone: 'UTC',
    });
    const list = await server.get<{ asOf: string; data: { name: string; value: number | null }[] }>(`/v1/kpis?${MARCH}`);
    expect(list.asOf).toMatch(/^20/);
    expect(list.data.find(({ name }) => name === 'qualified_lead_rate')).toMatchObject({ value: 50 });
  });

  it.each([
    ['from=yesterday', 'from'],
    [MARCH.replace('2026-04', '2025-04'), 'to'],
    ['timeZone=Mars/Olympus', 'timeZone'],
    ['interval=decade', 'interval'],
    ['from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z&interval=day', 'interval'],
    ['currency=euro', 'currency'],
    ['compare=never', 'compare'],
    ['segmentBy=colour', 'segmentBy'],
    ['filter.colour=red', 'filter.colour'],
    ['qualifiedBy=me', 'qualifiedBy'],
    ['price=1', 'price'],
  ])('name the parameter that is wrong: %s', async (query, parameter) => {
    const answer = await running.server.fetch(`/v1/kpis/qualified_lead_rate?${query}`);
    expect(answer.status).toBe(400);
    const problem = (await answer.json()) as { code: string; errors: { pointer: string; detail: string }[] };
    expect(problem.code).toBe('invalid_request');
    expect(JSON.stringify(problem.errors)).toContain(parameter);
  });

  it('refuse a parameter of another KPI, and a name that there is not', async () => {
    const answer = await running.server.fetch('/v1/kpis/cac?qualifiedBy=crm');
    expect([answer.status, await answer.json()]).toMatchObject([400, { errors: [{ pointer: '#/qualifiedBy' }] }]);
    expect((await running.server.fetch('/v1/kpis/happiness')).status).toBe(400);
  });

  it('that are tables of their own are listed with where they are, and each is there', async () => {
    interface Elsewhere {
      readonly name: string;
      readonly unit: string;
      readonly url: string;
    }
    const { elsewhere } = await running.server.get<{ elsewhere: Elsewhere[] }>(`/v1/kpis?${MARCH}`);
    expect(elsewhere.map(({ name, url }) => [name, url])).toEqual([
      ['funnel', '/v1/journey'],
      ['attribution', '/v1/attribution'],
      ['benchmark', '/v1/kpis/{name}'],
    ]);
    for (const { name, url } of elsewhere) {
      expect((await running.server.fetch(`${url.replace('{name}', 'cac')}?${MARCH}`)).status).toBe(200);
      const asked = await running.server.fetch(`/v1/kpis/${name}`);
      expect([asked.status, await asked.json()]).toMatchObject([404, { detail: expect.stringContaining(url) as string }]);
    }
  });

  it('come as CSV, the list and one', async () => {
    const csv = async (path: string) => (await running.server.fetch(path, { headers: { accept: 'text/csv' } })).text();
    const list = (await csv(`/v1/kpis?${MARCH}`)).trim().split('\n');
    expect(list[0]).toBe('name,title,unit,currency,value,numerator,denominator,previous,change,reason');
    expect(list.find((line) => line.startsWith('qualified_lead_rate,'))).toContain(',50,1,2,');
    const one = (await csv(`/v1/kpis/qualified_lead_rate?${MARCH}&interval=month`)).trim().split('\n');
    expect(one).toHaveLength(3);
  });

  it('have targets that are kept, told, and taken back', async () => {
    const { server } = running;
    const put = (value: unknown) =>
      server.fetch('/v1/kpis/qualified_lead_rate/target', {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ value }),
      });
    const target = async () =>
      (await server.get<{ benchmark: { target: object } }>(`/v1/kpis/qualified_lead_rate?${MARCH}`)).benchmark.target;
    expect((await put(40)).status).toBe(200);
    expect(await target()).toMatchObject({ value: 40, met: true });
    expect((await put(60)).status).toBe(200);
    expect(await target()).toMatchObject({ value: 60, met: false });
    expect((await put(null)).status).toBe(200);
    expect(await target()).toMatchObject({ value: null, met: null });
    expect((await put('many')).status).toBe(400);
  });

  it('are documented, each with an example that is what its schema says', async () => {
    const document = await running.server.get<{
      paths: Record<
        string,
        { get: { responses: Record<string, { content: Record<string, { examples: Record<string, { value: Kpi }> }> }> } }
      >;
    }>('/openapi.json');
    const { examples } = document.paths['/v1/kpis/{name}']!.get.responses['200']!.content['application/json']!;
    const { data } = await running.server.get<{ data: { name: string }[] }>(`/v1/kpis?${MARCH}`);
    expect(Object.keys(examples).toSorted()).toEqual(data.map(({ name }) => name).toSorted());
    for (const { value } of Object.values(examples)) expect(value.value).not.toBeNull();
  });
});
