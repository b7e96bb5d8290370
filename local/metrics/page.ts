import { writeFileSync } from 'node:fs';
import { listMetrics, type Metric } from './inventory.ts';

/** Where the table is kept. */
export const metricsPage = new URL('../../docs/metrics.md', import.meta.url);

const allProcesses = 6;

const isOfRuntime = ({ name }: Metric): boolean => /^(process|nodejs)_/.test(name);

const list = (names: readonly string[]): string => names.map(name => `\`${name}\``).join(' ');

const where = ({ services }: Metric): string =>
  services.length === allProcesses ? 'all' : services.map(name => name.replace('-service', '')).join(', ');

/** The page on all metrics, made from the registries of all processes. */
export async function metricsText(): Promise<string> {
  const all = await listMetrics();
  const own = all.filter(metric => !isOfRuntime(metric));
  const rows = own.map(one => `| \`${one.name}\` | ${one.type} | ${where(one)} | ${list(one.labels)} | ${one.help} |`);
  return `# Metrics

Made by \`npm run metrics\` from the registries of all processes; a test fails when it is old.

Each process serves them at \`/metrics\`: a service on its own port, the gateway on \`METRICS_PORT\`, which is not public.
Prometheus finds every instance in Consul, by the \`metrics_port\` of its metadata, and adds \`job\` (the service) and
\`instance\`; every series also has \`service\`. Times are in seconds. Label values come from fixed lists: routes are templates
(\`unmatched\` for paths that nobody knows), methods that no route has are \`OTHER\`, queues are those of the shop's code.

Gauges that describe a database or the broker (\`outbox_*\`, \`saga*\`, \`payments_unresolved\`, \`bus_dead_letters\`) are said by
every instance alike: take their maximum, not their sum.

| name | type | in | labels | meaning |
|---|---|---|---|---|
${rows.join('\n')}

Beside these every process has the ${all.length - own.length} metrics of Node and its process that prom-client knows, among them
\`process_resident_memory_bytes\`, \`process_cpu_seconds_total\`, \`nodejs_heap_size_used_bytes\`, \`nodejs_gc_duration_seconds\`,
and for the delay of the event loop \`nodejs_eventloop_lag_p99_seconds\` (since the last look; about 0.01 at rest, the
resolution of its timer).
`;
}

if (import.meta.main) {
  writeFileSync(metricsPage, await metricsText());
  process.exit(0);
}
