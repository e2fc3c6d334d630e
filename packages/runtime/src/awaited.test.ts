import { describe, expect, it } from 'vitest';
import { Awaited } from './awaited.ts';
import { createLogger } from './logger.ts';
import { systemScheduler } from './scheduler.ts';

class Away extends Error {
  readonly retriable = true;
}

function awaited(): { part: Awaited<string>; lines: string[] } {
  const lines: string[] = [];
  const logger = createLogger({ service: 'test', destination: { write: (line) => void lines.push(line) } });
  return { part: new Awaited({ name: 'the log', logger, scheduler: systemScheduler }), lines };
}

describe('what a process waits for', () => {
  it('is asked for again and again, and it is told why it is waited for', async () => {
    const { lines, part } = awaited();
    expect(part.readiness()).toEqual({ ready: false, detail: 'waits for the log' });
    expect(() => part.part).toThrow(expect.objectContaining({ code: 'not_ready', headers: { 'retry-after': '1' } }));
    let failures = 0;
    const opening = part.open(async () => {
      if (failures++ < 2) throw new Away('connection refused');
      return 'here';
    });
    await expect.poll(() => part.readiness().detail).toBe('waits for the log: connection refused');
    expect(part.opened).toBeNull();
    expect(await opening).toBe('here');
    expect(part.readiness()).toEqual({ ready: true, detail: 'the log is there' });
    expect([part.part, part.opened]).toEqual(['here', 'here']);
    expect(lines.filter((line) => line.includes('the log can not be reached yet'))).toHaveLength(2);
  });

  it('is given up when waiting does not help', async () => {
    const { part } = awaited();
    await expect(part.open(() => Promise.reject(new Error('wrong password')))).rejects.toThrow('wrong password');
    expect(part.readiness().ready).toBe(false);
  });
});
