import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { interpolate, readCompose, readText, ROOT, SECRETS, variablesOf } from './compose-file.ts';

const text = readText('docker-compose.yml');
const compose = readCompose(SECRETS);
const services = Object.entries(compose.services);
const OURS = new Set(['ingest', 'aggregator', 'query', 'notifier']);
/** Reached by nobody from outside, they have to reach others there. */
const GOES_OUT = new Set(['notifier']);

describe.each(services)('service %s', (name, service) => {
  it('runs as somebody who may do nothing beyond its work', () => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(service.cap_add).toBeUndefined();
    expect(service.privileged).toBeUndefined();
    expect(service.user).toMatch(OURS.has(name) ? /^10001:10001$/ : /^(?!0\b|root\b)\w+/);
  });

  it('has bounds for memory, CPU and processes', () => {
    expect(service.deploy?.resources?.limits).toEqual({
      cpus: expect.stringMatching(/^\d+$/),
      memory: expect.stringMatching(/^\d+[MG]$/),
      pids: expect.any(Number),
    });
  });

  it('says by itself whether it is well', () => {
    expect(service.healthcheck?.test[0]).toBe('CMD');
    // Tools that the image does not have would make it unhealthy for good.
    if (OURS.has(name)) expect(service.healthcheck?.test).toEqual(['CMD', 'node', 'scripts/probe.ts', '/readyz']);
  });

  it('waits for others until they are well', () => {
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(compose.services).toHaveProperty(other);
      expect(condition).toBe('service_healthy');
    }
  });

  it('is reached from this machine alone, if at all', () => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    // Without ports it needs no way out either, unless that is its work.
    expect(service.networks).toEqual(service.ports === undefined && !GOES_OUT.has(name) ? ['inside'] : ['inside', 'outside']);
  });

  it('is of one version', () => {
    expect(service.image).toMatch(/:v?\d+\.\d+\.\d+/);
  });

  it('mounts files that are there, read-only, and keeps data in volumes of the file', () => {
    for (const mount of service.volumes ?? []) {
      const [source, , mode] = mount.split(':');
      if (source!.startsWith('./')) {
        expect(existsSync(join(ROOT, source!)), source).toBe(true);
        expect(mode).toBe('ro');
      } else expect(compose.volumes).toHaveProperty(source!);
    }
  });
});

it('cuts what holds data off from the outside', () => {
  expect(compose.networks['inside']).toEqual({ internal: true });
});

it('starts with no secret that anybody could know', () => {
  for (const name of Object.keys(SECRETS)) {
    expect(() => readCompose({ ...SECRETS, [name]: '' })).toThrow(`${name} must be set: run sh deploy/make-env.sh`);
    expect(variablesOf(text).get(name), name).toEqual({ required: true });
  }
  for (const [name, { environment = {} }] of services) {
    for (const [variable, value] of Object.entries(environment)) {
      if (/PASSWORD|SECRET|_KEY$/.test(variable)) expect(Object.values(SECRETS), `${name}: ${variable}`).toContain(value);
    }
  }
});

it('gives the admin key to those who check keys, and to nobody else', () => {
  const holders = services.filter(([, { environment = {} }]) => 'TOUCHSTONE_ADMIN_KEY' in environment).map(([name]) => name);
  expect(holders).toEqual(['ingest', 'query', 'notifier']);
});

it('reads the variables that .env.example names, and no others; those without a default are empty there', () => {
  const named = new Map(
    [...readText('.env.example').matchAll(/^(#?)(\w+)=(.*)$/gm)].map(([, mark, name, value]) => [name!, { mark, value }]),
  );
  const read = variablesOf(text);
  expect([...named.keys()].toSorted()).toEqual([...read.keys()].toSorted());
  for (const [name, { required }] of read) {
    expect({ name, ...named.get(name) }).toEqual({
      name,
      mark: required ? '' : '#',
      value: required ? '' : interpolate(`\${${name}:-${defaultOf(name)}}`, {}),
    });
  }
});

function defaultOf(name: string): string {
  return new RegExp(`\\$\\{${name}:-([^}]*)\\}`).exec(text)?.[1] ?? '';
}

it.each([...OURS])('sets only what %s knows', async (name) => {
  const { environment = {} } = compose.services[name]!;
  const path = join(ROOT, 'services', name, 'src/config.ts');
  const { configSchema } = (await import(path)) as { configSchema: { shape: Record<string, unknown>; parse(given: unknown): unknown } };
  expect(Object.keys(environment).filter((variable) => !(variable in configSchema.shape))).toEqual([]);
  expect(() => configSchema.parse(environment)).not.toThrow();
});

describe('the image', () => {
  const dockerfile = readText('Dockerfile');

  it('has the Node that package.json pins', () => {
    const { devDependencies } = JSON.parse(readText('package.json')) as { devDependencies: Record<string, string> };
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
    expect(new Set(bases)).toEqual(new Set([`node:${devDependencies['node']}-bookworm-slim`]));
  });

  it('starts as `pnpm start` does, and each service as its script does', () => {
    const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
    const [, start] = /^CMD (\[.*\])$/m.exec(dockerfile)!;
    expect((JSON.parse(start!) as string[]).join(' ')).toBe(scripts['start']);
    for (const name of OURS) expect(compose.services[name]!.command!.join(' ')).toBe(scripts[name]);
  });

  it('copies what is there and what .dockerignore lets through, as the user who runs it', () => {
    const letThrough = [...readText('.dockerignore').matchAll(/^!(.*)$/gm)].map(([, path]) => path!);
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, paths]) => paths!.split(' '));
    expect(letThrough.toSorted()).toEqual(copied.toSorted());
    for (const path of copied) expect(existsSync(join(ROOT, path)), path).toBe(true);
    expect(dockerfile).toMatch(/^USER 10001:10001$/m);
  });
});
