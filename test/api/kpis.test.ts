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
    expect(await server.get<Kpi>(`/v1/kpis/qualified_lead_rate?${MARCH}`)).toMatchObject({ value: null, reason: 'nothing is known of leads' });
    await server.post('/v1/leads', [
      { id: 'l1', accountId: 'a', createdAt: '2026-03-02T00:00:00Z', qualifiedAt: '2026-03-09T00:00:00Z' },
      { id: 'l2', createdAt: '2026-03-02T00:00:00Z' },
    ]);
    const kpi = await eventually(
      () => server.get<Kpi>(`/v1/kpis/qualified_lead_rate?${MARCH}&interval=week`),
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
    const list = await server.get<{ data: { name: string; value: number | null }[] }>(`/v1/kpis?${MARCH}`);
    expect(list.data.find(({ name }) => name === 'qualified_lead_rate')).toMatchObject({ value: 50 });
  });
});
