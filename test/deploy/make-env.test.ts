import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readCompose, ROOT, SECRETS } from './compose-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'touchstone-env-'));
afterAll(() => rmSync(folder, { recursive: true }));

const makeEnv = (file: string) => spawnSync('sh', [join(ROOT, 'deploy/make-env.sh'), file], { encoding: 'utf8' });

function read(file: string): Record<string, string> {
  return Object.fromEntries([...readFileSync(file, 'utf8').matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name!, value!]));
}

it('makes every secret that compose asks for, another one each time, for its owner only', () => {
  const files = [join(folder, 'one.env'), join(folder, 'other.env')];
  for (const file of files) {
    expect(makeEnv(file)).toMatchObject({ status: 0, stderr: '' });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(Object.keys(read(file)).toSorted()).toEqual(Object.keys(SECRETS).toSorted());
    expect(() => readCompose(read(file))).not.toThrow();
  }
  const secrets = files.flatMap((file) => Object.values(read(file)));
  for (const secret of secrets) expect(secret).toMatch(/^(sk_)?[0-9a-f]{64}$/);
  expect(new Set(secrets).size).toBe(6);
});

it('leaves a file alone that is there', () => {
  const file = join(folder, 'kept.env');
  writeFileSync(file, 'TOUCHSTONE_ADMIN_KEY=sk_mine\n');
  const { status, stderr } = makeEnv(file);
  expect(status).toBe(1);
  expect(stderr).toContain('stays as it is');
  expect(readFileSync(file, 'utf8')).toBe('TOUCHSTONE_ADMIN_KEY=sk_mine\n');
});

it('leaves nothing behind where it can not write', () => {
  const { status } = makeEnv(join(folder, 'no such folder', '.env'));
  expect(status).not.toBe(0);
});
