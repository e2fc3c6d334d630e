import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseConfig } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'touchstone-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const schema = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  HOST: z.string().default('127.0.0.1'),
  ADMIN_KEY: z.string().min(8).optional(),
});

describe('parseConfig', () => {
  it('reads variables, takes empty ones as absent, and fills in defaults', () => {
    expect(parseConfig(schema, { PORT: '9000', HOST: '', OTHER: 'x' })).toEqual({ ok: true, value: { PORT: 9000, HOST: '127.0.0.1' } });
  });

  it('reads a secret from the file that NAME_FILE points to, without the line end', () => {
    const path = join(folder, 'key');
    writeFileSync(path, ' secret value \n');
    expect(parseConfig(schema, { ADMIN_KEY_FILE: path }, ['ADMIN_KEY'])).toMatchObject({
      ok: true,
      value: { ADMIN_KEY: ' secret value ' },
    });
    expect(parseConfig(schema, { HOST_FILE: path }, ['ADMIN_KEY'])).toMatchObject({ ok: true, value: { HOST: '127.0.0.1' } });
  });

  it('reports all problems at once, each with the name of its variable', () => {
    const config = parseConfig(schema, { PORT: '70000', ADMIN_KEY: 'short', ADMIN_KEY_FILE: '/x' }, ['ADMIN_KEY']);
    expect(config).toMatchObject({ ok: false });
    const problems = config.ok ? [] : config.problems;
    expect(problems).toHaveLength(2);
    expect(problems[0]).toBe('ADMIN_KEY and ADMIN_KEY_FILE are both set: keep one');
    expect(problems[1]).toMatch(/^PORT: /);
  });

  it('says which file could not be read, and that once', () => {
    const required = schema.extend({ ADMIN_KEY: z.string() });
    const config = parseConfig(required, { ADMIN_KEY_FILE: join(folder, 'none') }, ['ADMIN_KEY']);
    expect(config).toEqual({ ok: false, problems: [expect.stringMatching(/^ADMIN_KEY_FILE: ENOENT/)] });
  });

  it('never repeats a value', () => {
    const config = parseConfig(schema, { ADMIN_KEY: 'hunter2', PORT: 'hunter3' });
    expect(JSON.stringify(config)).not.toContain('hunter');
  });
});

describe('loadConfig', () => {
  it('prints every problem and leaves with exit code 2', () => {
    const program = `
      import { z } from 'zod';
      import { loadConfig } from ${JSON.stringify(new URL('./config.ts', import.meta.url).href)};
      loadConfig(z.object({ PORT: z.coerce.number(), HOST: z.string() }));
      console.log('went on');`;
    const options = { cwd: new URL('..', import.meta.url), env: { PATH: process.env['PATH'], PORT: 'x' }, encoding: 'utf8' } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', program], options);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^The settings are not right:\n {2}- PORT: .*\n {2}- HOST: .*\n$/);
  });
});
