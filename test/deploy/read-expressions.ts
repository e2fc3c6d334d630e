import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from './compose-file.ts';

/** A query in PromQL, and where it stands. */
export interface Expression {
  readonly where: string;
  readonly text: string;
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

export interface Dashboard {
  readonly file: string;
  readonly uid: string;
  readonly title: string;
  readonly links: readonly { readonly url: string }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string; readonly query: unknown }[] };
  readonly panels: readonly Panel[];
}

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function readDashboards(): readonly Dashboard[] {
  return globSync('deploy/grafana/dashboards/*.json', { cwd: ROOT })
    .toSorted()
    .map((file) => ({ ...(JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as Omit<Dashboard, 'file'>), file }));
}

export function readAlerts(): readonly Alert[] {
  const files = globSync('deploy/prometheus/rules/*.yml', { cwd: ROOT });
  return files.flatMap((file) => {
    const { groups } = parse(readFileSync(join(ROOT, file), 'utf8')) as { groups: { rules: Alert[] }[] };
    return groups.flatMap(({ rules }) => rules);
  });
}

/** All queries of dashboards, with Grafana's variables replaced by what they could stand for. */
export function dashboardExpressions(): readonly Expression[] {
  return readDashboards().flatMap(({ file, panels }) =>
    panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => ({
        where: `${file}: ${title}`,
        text: expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*'),
      })),
    ),
  );
}

export function alertExpressions(): readonly Expression[] {
  return readAlerts().map(({ alert, expr }) => ({ where: alert, text: expr }));
}
