import { describe, expect, it } from 'vitest';
import { Circuit } from './circuit.ts';

/** As many as it lets through before anything was taken. */
const MOST = 4;

describe('a circuit', () => {
  it('stays closed through a failure or two, and forgets them with a success', () => {
    const circuit = new Circuit();
    circuit.failed(0, null);
    circuit.failed(0, null);
    expect([circuit.lanes(0, MOST), circuit.isFailing]).toEqual([MOST, true]);
    circuit.succeeded(0);
    circuit.failed(1, null);
    circuit.failed(1, null);
    expect(circuit.lanes(1, MOST)).toBe(MOST);
  });

  it('opens with the third failure in a row, then lets a single try through', () => {
    const circuit = new Circuit();
    for (let i = 0; i < 3; i++) circuit.failed(1000, null);
    expect([circuit.lanes(1000, MOST), circuit.lanes(5999, MOST), circuit.lanes(6000, MOST)]).toEqual([0, 0, 1]);
    expect(circuit.opensAt).toBe(6000);
    circuit.succeeded(6000);
    expect([circuit.lanes(6000, MOST), circuit.isFailing]).toEqual([MOST, false]);
  });

  it('lets through one more with each message that is taken, and few again after it was open', () => {
    const circuit = new Circuit();
    const lanes = (now: number) => circuit.lanes(now, 16);
    expect(lanes(0)).toBe(4);
    for (let i = 0; i < 5; i++) circuit.succeeded(0);
    expect(lanes(0)).toBe(9);
    circuit.failed(0, null);
    expect(lanes(0)).toBe(9);
    for (let i = 0; i < 90; i++) circuit.succeeded(0);
    expect(lanes(0)).toBe(16);
    for (let i = 0; i < 3; i++) circuit.failed(0, null);
    circuit.succeeded(5000);
    expect(lanes(5000)).toBe(5);
  });

  it('is closed for an endpoint that was changed, whatever was asked for before', () => {
    const circuit = new Circuit();
    circuit.failed(0, 60_000);
    circuit.close();
    expect([circuit.lanes(1, MOST), circuit.isFailing, circuit.opensAt]).toEqual([MOST, false, 0]);
  });

  it('waits twice as long after each try that fails, up to five minutes', () => {
    const circuit = new Circuit();
    for (let i = 0; i < 3; i++) circuit.failed(0, null);
    const pauses = Array.from({ length: 9 }, () => {
      const now = circuit.opensAt;
      circuit.failed(now, null);
      return (circuit.opensAt - now) / 1000;
    });
    expect(pauses).toEqual([10, 20, 40, 80, 160, 300, 300, 300, 300]);
  });

  it('is opened no further by what was under way when it opened', () => {
    const circuit = new Circuit();
    for (let i = 0; i < MOST; i++) circuit.failed(i, null);
    expect(circuit.opensAt).toBe(2 + 5000);
  });

  it('opens at once when the receiver asks for a pause, for as long as it asks', () => {
    const circuit = new Circuit();
    circuit.failed(0, 60_000);
    expect([circuit.lanes(59_999, MOST), circuit.lanes(60_000, MOST)]).toEqual([0, 1]);
    const unsaid = new Circuit();
    unsaid.failed(0, 0);
    expect([unsaid.lanes(4999, MOST), unsaid.lanes(5000, MOST)]).toEqual([0, 1]);
  });

  it('is not closed by what began before it opened, but by what began after', () => {
    const circuit = new Circuit();
    circuit.failed(10, 60_000);
    circuit.succeeded(5);
    circuit.succeeded(10);
    expect([circuit.opensAt, circuit.lanes(60_009, MOST), circuit.isFailing]).toEqual([60_010, 0, true]);
    circuit.succeeded(60_010);
    expect([circuit.lanes(60_010, MOST), circuit.isFailing]).toEqual([MOST, false]);
  });
});
