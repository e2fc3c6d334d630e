import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { defaultModel } from '@touchstone/engine';
import { KEY, startServer, type Server } from '../../support/start-server.ts';

/**
 * Starts a server with some data, lets Schemathesis loose on it and looks at what is left of it. Arguments: a directory with Schemathesis in
 * `venv`, for data too; the rest goes on to Schemathesis. Exit code 1 for any finding.
 */

/** Of fuzzing and of sequences of requests; what the schemas' own limits give is tried besides. */
const FUZZING_SECONDS = 180;

/** So that there is an alert, a stage and a qualified account. */
const RULES = {
  thresholds: [{ id: 'hot', metric: 'score', enter: 50, exit: 30 }],
  qualification: { atLeast: 1, of: [{ id: 'met', metric: 'kind.meeting.30d', atLeast: 1 }], minContacts: 2 },
  stages: [
    { id: 'aware', engaged: true },
    { id: 'sales', qualified: true },
  ],
};

const [directory, ...more] = process.argv.slice(2);
if (directory === undefined) throw new Error('give a directory with Schemathesis in venv');

const server = await startServer({ data: join(directory, 'data') });
const ids = await seed(server);
const code = await runSchemathesis(server.url, ids);
const faults = await faultsOf(server);
for (const fault of faults) console.error(fault);
process.exitCode = code === 0 && faults.length === 0 ? 0 : 1;

/** Ids that the server gave out, which no fuzzer can guess. */
interface GivenIds {
  readonly alertId: string;
  readonly endpointId: string;
}

/** The accounts are those that a fuzzer is likely to ask for. */
async function seed({ fetch, post, get }: Server): Promise<GivenIds> {
  const send = async (path: string, body: object): Promise<Response> => {
    const answer = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  await send('/v1/models', { ...defaultModel, ...RULES, version: 'with-rules' });
  const endpoint = (await (await send('/v1/endpoints', { name: 'CRM', url: 'https://hooks.example.com/' })).json()) as { id: string };
  await send('/v1/experiments', {
    id: 'hero',
    campaignId: 'spring',
    arms: [{ creativeId: 'plain' }, { creativeId: 'bold' }],
    leastSample: 2,
  });
  await send('/v1/experiments/hero/start', {});
  while ((await get<{ version: string }>('/v1/models/current')).version !== 'with-rules') await setTimeout(50);
  const accounts = ['0', 'a', 'acme'];
  await post('/v1/accounts', [{ id: 'acme', name: '=Acme', tier: 'a', targetList: true, attributes: { region: 'north' } }]);
  await post('/v1/contacts', [{ id: 'ann', accountId: 'acme', role: 'champion' }]);
  await post('/v1/opportunities', [{ id: 'deal', accountId: 'acme', amount: 1000, currency: 'EUR', outcome: 'won' }]);
  await post(
    '/v1/touches',
    accounts.flatMap((accountId) =>
      Array.from({ length: 120 }, (_, i) => ({
        accountId,
        contactId: `c${i % 7}`,
        kind: i % 2 === 0 ? 'web_visit' : 'meeting',
        minutes: i,
        campaignId: 'spring',
        creativeId: i % 3 === 0 ? 'plain' : 'bold',
      })),
    ),
  );
  for (;;) {
    const { data } = await get<{ data: unknown[] }>('/v1/accounts/acme/timeline?limit=500');
    const alerts = await get<{ data: { id: string }[] }>('/v1/alerts?accountId=acme');
    if (data.length === 120 && alerts.data[0] !== undefined) return { alertId: alerts.data[0].id, endpointId: endpoint.id };
    await setTimeout(50);
  }
}

async function runSchemathesis(url: string, { alertId, endpointId }: GivenIds): Promise<number | null> {
  const config = join(import.meta.dirname, 'schemathesis.toml');
  const options = ['--config-file', config, '--no-color', 'run', `${url}/openapi.json`, '--max-time', String(FUZZING_SECONDS), ...more];
  const child = spawn(join(directory!, 'venv', 'bin', 'schemathesis'), options, {
    // In a directory of its own, for whatever it leaves behind.
    cwd: directory,
    env: {
      ...process.env,
      TOUCHSTONE_KEY: KEY,
      SCHEMATHESIS_HOOKS: join(import.meta.dirname, 'hooks.py'),
      GIVEN_IDS: JSON.stringify({ accountId: 'acme', opportunityId: 'deal', experimentId: 'hero', key: 'hero', alertId, endpointId }),
      PYTHONDONTWRITEBYTECODE: '1',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  process.once('exit', () => child.kill());
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  return exitCode;
}

/** What went wrong behind the answers: a process that ended, is no longer ready or takes nothing, errors in its log, a stop that fails. */
async function faultsOf(server: Server): Promise<readonly string[]> {
  const faults: string[] = [];
  try {
    await server.get('/readyz');
    await server.post('/v1/touches', [{ accountId: 'after-all', kind: 'call' }]);
  } catch (cause) {
    faults.push(`the server no longer works: ${String(cause)}`);
  }
  const exitCode = await server.stop();
  if (exitCode !== 0) faults.push(`the server ended with ${exitCode}`);
  const errors = server
    .output()
    .split('\n')
    .filter((line) => /"level":"(error|fatal)"/.test(line));
  return [...faults, ...errors.slice(0, 20).map((line) => line.slice(0, 1000))];
}
