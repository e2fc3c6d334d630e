import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { watchUsage } from './process-usage.ts';

const HUNGRY = `
  const kept = Buffer.alloc(200 * 2 ** 20, 1);
  const until = process.cpuUsage().user + 500_000;
  while (process.cpuUsage().user < until);
  console.log(kept.length);
  process.stdin.resume();
`;

test('tells time and most memory of a process, also once it has ended', async () => {
  const child = spawn(process.execPath, ['-e', HUNGRY], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const usage = watchUsage(child.pid!);
  const running = usage.latest();
  expect(running.cpuSeconds).toBeGreaterThanOrEqual(0.5);
  expect(running.peakResidentBytes).toBeGreaterThan(200 * 2 ** 20);
  child.stdin.end();
  await once(child, 'exit');
  expect(usage.stop().cpuSeconds).toBeGreaterThanOrEqual(running.cpuSeconds);
});
