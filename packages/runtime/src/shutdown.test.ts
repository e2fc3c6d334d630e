import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

/** Runs a small program under the module, signals it when it says `ready`, and tells how it ended. */
async function run(body: string, signals: readonly NodeJS.Signals[]): Promise<{ code: number | null; said: string[] }> {
  const program = `
    import { pino } from 'pino';
    import { createShutdown } from ${JSON.stringify(new URL('./shutdown.ts', import.meta.url).href)};
    const say = (text) => process.stdout.write(text + '\\n');
    const logger = pino({ level: 'info' }, { write: (line) => say('log: ' + JSON.parse(line).msg) });
    const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    setInterval(() => {}, 1000);
    ${body}`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], { cwd: new URL('..', import.meta.url) });
  let output = '';
  const left = [...signals];
  child.stdout.on('data', (chunk: Buffer) => {
    const text = chunk.toString();
    output += text;
    if (/^ready/m.test(text)) child.kill(left.shift());
    if (/^again/m.test(text)) child.kill(left.shift());
  });
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said: output.trim().split('\n') };
}

describe('createShutdown', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'runs the steps on %s, the newest first, one after another, and leaves with 0',
    async (signal) => {
      const { code, said } = await run(
        `const shutdown = createShutdown({ logger });
       shutdown.add('store', () => say('store, draining ' + shutdown.draining));
       shutdown.add('server', async () => { say('server'); await sleep(20); say('server done'); });
       shutdown.listen();
       say('ready ' + shutdown.draining);`,
        [signal],
      );
      expect(said).toEqual(['ready false', 'log: stopping', 'server', 'server done', 'store, draining true', 'log: stopped']);
      expect(code).toBe(0);
    },
  );

  it('goes on after a step that failed, and leaves with 1', async () => {
    const { code, said } = await run(
      `const shutdown = createShutdown({ logger });
       shutdown.add('store', () => say('store'));
       shutdown.add('server', () => { throw new Error('no'); });
       shutdown.listen();
       say('ready');`,
      ['SIGTERM'],
    );
    expect(said).toEqual(['ready', 'log: stopping', 'log: a step of stopping failed; the others go on', 'store', 'log: stopped']);
    expect(code).toBe(1);
  });

  it('leaves when the deadline has passed', async () => {
    const { code, said } = await run(
      `const shutdown = createShutdown({ logger, deadlineMs: 50 });
       shutdown.add('server', () => new Promise(() => {}));
       shutdown.listen();
       say('ready');`,
      ['SIGTERM'],
    );
    expect(said.at(-1)).toBe('log: stopping took too long');
    expect(code).toBe(1);
  });

  it('leaves at once on a second signal', async () => {
    const { code } = await run(
      `const shutdown = createShutdown({ logger });
       shutdown.add('server', () => { say('again'); return new Promise(() => {}); });
       shutdown.listen();
       say('ready');`,
      ['SIGTERM', 'SIGINT'],
    );
    expect(code).toBe(130);
  });

  it.each([
    ['an exception', `setTimeout(() => { throw new Error('x'); });`],
    ['a rejection', `setTimeout(() => { void Promise.reject(new Error('x')); });`],
  ])('logs %s that nobody caught and leaves with 1', async (_, fault) => {
    const { code, said } = await run(`createShutdown({ logger }).listen(); ${fault}`, []);
    expect(said).toEqual(['log: an error that nobody caught']);
    expect(code).toBe(1);
  });
});
