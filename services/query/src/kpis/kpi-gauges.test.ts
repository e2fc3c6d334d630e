import type { KpiAnswer } from '@touchstone/kpis';
import { createMetrics } from '@touchstone/runtime';
import { KPIS } from '@touchstone/store';
import { expect, it, vi } from 'vitest';
import type { QueryApp } from '../query-options.ts';
import { keepKpiGauges } from './kpi-gauges.ts';

it('asks for no KPI while it is held up, and for the rest afterwards', async () => {
  vi.useFakeTimers();
  const hooks = new Map<string, () => Promise<void>>();
  const app = { addHook: (name: string, hook: () => Promise<void>) => void hooks.set(name, hook) } as unknown as QueryApp;
  const asked: string[] = [];
  let isHeldUp = false;
  keepKpiGauges({
    app,
    metrics: createMetrics(),
    isHeldUp: () => isHeldUp,
    async ask({ name }) {
      asked.push(name);
      isHeldUp = asked.length === 2;
      return { value: 1 } as KpiAnswer;
    },
  });
  await hooks.get('onListen')!();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(asked).toHaveLength(2);
  isHeldUp = false;
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked).toEqual(KPIS.map(({ name }) => name));
  await hooks.get('onClose')!();
  vi.useRealTimers();
});
