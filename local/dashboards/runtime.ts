import type { Dashboard } from './grafana.ts';

const own = 'service=~"$service"';

export const runtime: Dashboard = {
  uid: 'tradepost-runtime',
  title: 'Tradepost: runtime',
  description: 'Processes, their event loops and memory, their databases, and how they see each other.',
  byService: true,
  rows: [
    {
      title: 'Processes',
      panels: [
        {
          title: 'Instances',
          description: 'Instances of each service that Prometheus finds in Consul and that answer.',
          ...{ kind: 'timeseries', unit: 'short' },
          queries: [{ expr: 'sum by (job) (up{job=~"gateway|.+-service"})', legend: '{{job}}' }],
        },
        {
          title: 'Processor',
          description:
            'Processors that each instance uses. A process has one for its own work; near 1 it cannot do more.',
          ...{ kind: 'timeseries', unit: 'short', thresholds: { red: 1 } },
          queries: [
            {
              expr: `rate(process_cpu_seconds_total{${own}}[$__rate_interval])`,
              legend: '{{service}} {{instance}}',
            },
          ],
        },
        {
          title: 'Delay of the event loop, p99',
          description:
            'One turn in a hundred takes longer. About 10 ms at rest; a quarter of a second for five minutes alerts.',
          ...{ kind: 'timeseries', unit: 's', thresholds: { yellow: 0.1, red: 0.25 } },
          queries: [{ expr: `nodejs_eventloop_lag_p99_seconds{${own}}`, legend: '{{service}} {{instance}}' }],
        },
        {
          title: 'Memory',
          description: 'Resident memory of each instance.',
          ...{ kind: 'timeseries', unit: 'bytes', thresholds: { red: 450e6 } },
          queries: [{ expr: `process_resident_memory_bytes{${own}}`, legend: '{{service}} {{instance}}' }],
        },
        {
          title: 'Heap',
          description: 'Memory of objects, of each instance. A floor that rises for hours is a leak.',
          ...{ kind: 'timeseries', unit: 'bytes' },
          queries: [{ expr: `nodejs_heap_size_used_bytes{${own}}`, legend: '{{service}} {{instance}}' }],
        },
        {
          title: 'Garbage collection',
          description: 'Share of the time that goes into collecting garbage.',
          ...{ kind: 'timeseries', unit: 'percentunit', thresholds: { yellow: 0.1 } },
          queries: [
            {
              expr: `sum by (service, instance) (rate(nodejs_gc_duration_seconds_sum{${own}}[$__rate_interval]))`,
              legend: '{{service}} {{instance}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Databases',
      panels: [
        {
          title: 'Connections in use',
          description: 'Database connections that an operation is using, and the limit.',
          ...{ kind: 'timeseries', unit: 'short', thresholds: { red: 20 } },
          queries: [
            { expr: `mongodb_pool_connections_checked_out{${own}}`, legend: '{{service}} {{instance}}' },
            { expr: `max(mongodb_pool_connections_limit{${own}})`, legend: 'limit' },
          ],
        },
        {
          title: 'Open connections',
          description: 'Size of each pool. It grows with the load and shrinks after a minute without.',
          ...{ kind: 'timeseries', unit: 'short', thresholds: { red: 20 } },
          queries: [{ expr: `mongodb_pool_connections{${own}}`, legend: '{{service}} {{instance}}' }],
        },
        {
          title: 'Waiting operations',
          description: 'Operations that wait for a connection, and those a second that got none within a second.',
          ...{ kind: 'timeseries', unit: 'short', thresholds: { red: 1 } },
          queries: [
            { expr: `mongodb_pool_waiting{${own}}`, legend: '{{service}} {{instance}}' },
            {
              expr: `sum by (service) (rate(mongodb_pool_checkout_failures_total{${own}}[$__rate_interval]))`,
              legend: '{{service}} got none',
            },
          ],
        },
        {
          title: 'Wait for a connection, p95',
          description: 'How long operations wait for their connection.',
          ...{ kind: 'timeseries', unit: 's', thresholds: { red: 0.1 }, width: 12 },
          queries: [
            {
              expr: `histogram_quantile(0.95, sum by (service, le) (rate(mongodb_pool_checkout_duration_seconds_bucket{${own}}[$__rate_interval])))`,
              legend: '{{service}}',
            },
          ],
        },
        {
          title: 'Password hashes',
          description: 'Time of a hash (p95), and requests that wait for theirs; more than twenty are turned away.',
          ...{ kind: 'timeseries', unit: 'short', width: 12 },
          queries: [
            {
              expr: 'histogram_quantile(0.95, sum by (le) (rate(password_hash_duration_seconds_bucket[$__rate_interval])))',
              legend: 'seconds, p95',
            },
            { expr: 'sum(password_hashes_waiting)', legend: 'waiting' },
          ],
        },
      ],
    },
    {
      title: 'How they see each other',
      panels: [
        {
          title: 'Open breakers',
          description: '1 while a process leaves a service alone because too many calls to it failed.',
          ...{ kind: 'timeseries', unit: 'short', max: 1, thresholds: { red: 1 } },
          queries: [
            { expr: 'max by (upstream) (gateway_breaker_open)', legend: 'gateway → {{upstream}}' },
            {
              expr: `max by (service, callee) (service_client_breaker_open{${own}})`,
              legend: '{{service}} → {{callee}}',
            },
          ],
        },
        {
          title: 'Calls that failed',
          description:
            'Tries of the gateway a second that got no answer, and calls of services that ended without one.',
          ...{ kind: 'timeseries', unit: 'reqps', thresholds: { red: 1 } },
          queries: [
            {
              expr: 'sum by (upstream) (rate(gateway_upstream_failures_total[$__rate_interval]))',
              legend: 'gateway → {{upstream}}',
            },
            {
              expr: `sum by (service, callee) (rate(service_client_calls_total{outcome!="answered", ${own}}[$__rate_interval]))`,
              legend: '{{service}} → {{callee}}',
            },
          ],
        },
        {
          title: 'Retries',
          description: 'Tries a second beyond the first one.',
          ...{ kind: 'timeseries', unit: 'reqps' },
          queries: [
            {
              expr: 'sum by (upstream) (rate(gateway_upstream_retries_total[$__rate_interval]))',
              legend: 'gateway → {{upstream}}',
            },
            {
              expr: `sum by (service, callee) (rate(service_client_retries_total{${own}}[$__rate_interval]))`,
              legend: '{{service}} → {{callee}}',
            },
          ],
        },
        {
          title: 'Answers of the catalogue from memory',
          description:
            'Reads of the catalogue at the gateway a second: hit and miss, or off while it does not hear of changes.',
          ...{ kind: 'timeseries', unit: 'reqps', stack: true },
          queries: [
            { expr: 'sum by (result) (rate(gateway_cache_reads_total[$__rate_interval]))', legend: '{{result}}' },
          ],
        },
        {
          title: 'Products in memory',
          description:
            'Active products that lists and searches are answered from, by instance. They should not differ for long.',
          ...{ kind: 'timeseries', unit: 'short' },
          queries: [{ expr: 'catalogue_products', legend: '{{instance}}' }],
        },
        {
          title: 'Series of each instance',
          description:
            'Series that Prometheus gets from each instance. A number that grows for ever has labels without bound.',
          ...{ kind: 'timeseries', unit: 'short', thresholds: { red: 5000 } },
          queries: [{ expr: 'scrape_samples_scraped{job=~"gateway|.+-service"}', legend: '{{job}} {{instance}}' }],
        },
      ],
    },
  ],
};
