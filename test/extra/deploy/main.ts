import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { dashboardExpressions } from '../../deploy/read-expressions.ts';
import { tryImage } from './try-image.ts';
import { tryProxy } from './try-proxy.ts';

/**
 * What check-deploy.sh needs a program of ours for: `main.ts dashboards FILE` writes the queries of all dashboards as rules, whose PromQL
 * promtool can check; `main.ts proxy NGINX DIRECTORY` sends requests through the proxy of compose; `main.ts image DIRECTORY` takes the steps of the Dockerfile there.
 */
const [task, ...args] = process.argv.slice(2);
if (task === 'dashboards' && args.length === 1) {
  const rules = dashboardExpressions().map(({ where, text }, index) => ({ record: `query_${index}`, expr: text, labels: { where } }));
  writeFileSync(args[0]!, JSON.stringify({ groups: [{ name: 'dashboards', rules }] }, null, 1));
  console.log(`${rules.length} queries of dashboards`);
} else if (task === 'proxy' && args.length === 2) {
  const directory = resolve(args[1]!);
  mkdirSync(join(directory, 'tmp'), { recursive: true });
  await tryProxy(args[0]!, directory);
} else if (task === 'image' && args.length === 1) await tryImage(resolve(args[0]!));
else throw new Error('dashboards FILE, proxy NGINX DIRECTORY, or image DIRECTORY');
