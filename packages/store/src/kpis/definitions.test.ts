import { readdirSync, readFileSync } from 'node:fs';
import { DEFAULT_SETTINGS, known, type CombineContext } from '@touchstone/kpis';
import { describe, expect, it } from 'vitest';
import { KPIS } from './list.ts';

const contextOf = (parameters: Readonly<Record<string, string>>): CombineContext => ({
  span: { from: Date.UTC(2026, 2, 1), to: Date.UTC(2026, 3, 1) },
  months: 1,
  settings: { ...DEFAULT_SETTINGS, grossMargin: 0.8, rolesWanted: ['champion'] },
  parameters,
});

describe.each(KPIS.map((kpi) => [kpi.name, kpi] as const))('%s', (_, kpi) => {
  const inputs = Object.fromEntries(Object.entries(kpi.example.inputs).map(([name, value]) => [name, known(value)]));
  const parameters = Object.fromEntries(Object.entries(kpi.parameters ?? {}).map(([name, one]) => [name, one.default ?? one.values[0]!]));

  it('comes to what its example was worked out to by hand', () => {
    const outcome = kpi.combine(inputs, contextOf(parameters));
    expect(outcome.value).toBeCloseTo(kpi.example.value, 9);
    expect(outcome.reason).toBeNull();
  });

  it('has an example of every input, and says what every figure is', () => {
    expect(Object.keys(kpi.example.inputs).toSorted()).toEqual(Object.keys(kpi.measures).toSorted());
    expect(Object.keys(kpi.combine(inputs, contextOf(parameters)).figures).toSorted()).toEqual(Object.keys(kpi.figures ?? {}).toSorted());
  });

  it('is null with a reason where nothing is known, and no figure is made up', () => {
    const nothing = Object.fromEntries(Object.keys(kpi.measures).map((name) => [name, { value: null, reason: `${name} is missing` }]));
    const outcome = kpi.combine(nothing, { ...contextOf(parameters), settings: DEFAULT_SETTINGS });
    expect(outcome).toMatchObject({ value: null, numerator: null, denominator: null });
    expect(outcome.reason).toMatch(/is missing|not known/);
    expect(Object.values(outcome.figures).filter((value) => value !== null)).toEqual([]);
  });

  it('has names that do as a path, a label and a column', () => {
    expect(kpi.name).toMatch(/^[a-z][a-z_]{1,40}$/);
    for (const name of Object.keys(kpi.measures)) expect(name).toMatch(/^[a-zA-Z]{1,40}$/);
    expect([kpi.formula.endsWith('.'), kpi.source.endsWith('.')]).toEqual([true, true]);
  });
});

it('every file that declares a KPI is in the list, once', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.ts') && !/\.(?:test|contract)\.ts$/.test(name));
  const declared = files.filter((name) => / = declareKpi\(\{/.test(readFileSync(`${import.meta.dirname}/${name}`, 'utf8')));
  expect(KPIS).toHaveLength(declared.length);
  expect(KPIS.map(({ name }) => `${name.replaceAll('_', '-')}.ts`).toSorted()).toEqual(declared.toSorted());
});
