import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { freePort } from './free-port.ts';

it('gives ports that nothing listens on, another one each time, none of which the system gives to others', async () => {
  const taken = createServer();
  const first = await freePort();
  await once(taken.listen(first, '127.0.0.1'), 'listening');
  const ports = [];
  // Once around all that this process has, and one further.
  for (let i = 0; i < 40; i++) ports.push(await freePort());
  taken.close();
  expect(ports).not.toContain(first);
  expect(new Set(ports).size).toBe(39);
  expect([first, ...ports].filter((port) => port < 12_000 || port >= 32_000)).toEqual([]);
});
