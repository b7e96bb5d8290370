import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listMetrics } from '@tradepost/local/metrics/inventory';
import { parse } from 'yaml';
import { root } from '../architecture/sourceFiles.ts';

export interface Rule {
  alert?: string;
  record?: string;
  expr: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

export const ruleFiles = ['recording', 'slo', 'shop'].map(name => join(root, 'prometheus', 'rules', `${name}.yml`));

/** All recording and alert rules. */
export const rules: readonly Rule[] = ruleFiles.flatMap(file =>
  (parse(readFileSync(file, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(group => group.rules),
);

const words = new Set(['and', 'or', 'unless', 'by', 'on', 'without', 'ignoring', 'group_left', 'group_right', 'bool']);

/** The names of the metrics that an expression looks at. */
export function metricsIn(expr: string): string[] {
  const bare = expr
    .replace(/"[^"]*"/g, '')
    .replace(/\{[^}]*\}|\[[^\]]*\]/g, '')
    .replace(/\b(by|on|without|ignoring)\s*\([^)]*\)/g, '');
  const names = [...bare.matchAll(/\b([a-zA-Z_][\w:]*)\b(?!\s*\()/g)].map(match => match[1] ?? '');
  return names.filter(name => !words.has(name));
}

/** Whether a metric is one of the shop, one that a rule records, or one of Prometheus and RabbitMQ. */
export async function knownMetrics(): Promise<(name: string) => boolean> {
  const own = (await listMetrics()).flatMap(({ name, type }) =>
    type === 'histogram' || type === 'summary' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
  );
  const known = new Set([...own, ...rules.flatMap(({ record }) => record ?? []), 'up', 'ALERTS']);
  return name => known.has(name) || /^(rabbitmq|prometheus|scrape)_/.test(name);
}
