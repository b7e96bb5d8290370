import type { Dashboard, Panel } from './grafana.ts';

const asked = 'service="gateway", route!~"/health.*"';
const all = (window: string, more = '') => `http_request_duration_seconds_count{${asked}${more}}[${window}]`;
const failed = (window: string) => all(window, ', status=~"5.."');
const fast = (window: string) => `http_request_duration_seconds_bucket{${asked}, le="0.3"}[${window}]`;

const failedShare = `(sum(increase(${failed('30d')})) or vector(0)) / sum(increase(${all('30d')}))`;
const fastShare = `sum(increase(${fast('30d')})) / sum(increase(${all('30d')}))`;

const budget = (what: string, share: string, allowed: string): Panel => ({
  title: `Budget left: ${what}`,
  description: `What is left of the ${allowed} that 30 days allow. Below zero the objective is missed.`,
  ...{ kind: 'stat', unit: 'percentunit', decimals: 1, thresholds: { red: 0, yellow: 0.25, falling: true } },
  queries: [{ expr: `1 - (${share}) / ${allowed}`, legend: 'left' }],
});

const own = 'service=~"$service"';
const rates = `rate(http_request_duration_seconds_count{${own}}[$__rate_interval])`;
const failures = `rate(http_request_duration_seconds_count{${own}, status=~"5.."}[$__rate_interval])`;
const gatewayBuckets = `rate(http_request_duration_seconds_bucket{${asked}}[$__rate_interval])`;
const quantile = (q: number) => `histogram_quantile(${q}, sum by (le) (${gatewayBuckets}))`;

export const overview: Dashboard = {
  uid: 'tradepost-overview',
  title: 'Tradepost: overview',
  description:
    'Objectives and their error budgets, the gateway as customers see it, and rate, errors and duration of each service.',
  byService: true,
  rows: [
    {
      title: 'Objectives over 30 days',
      panels: [
        {
          title: 'Requests without a failure of ours',
          description: 'Share of requests at the gateway that were answered without a 5xx. Objective: 99.9 %.',
          ...{
            kind: 'stat',
            unit: 'percentunit',
            decimals: 3,
            thresholds: { red: 0.999, yellow: 0.9995, falling: true },
          },
          queries: [{ expr: `1 - ${failedShare}`, legend: 'without 5xx' }],
        },
        budget('failures', failedShare, '0.001'),
        {
          title: 'Requests within 300 ms',
          description: 'Share of requests at the gateway that took at most 300 ms. Objective: 99 %.',
          ...{
            kind: 'stat',
            unit: 'percentunit',
            decimals: 2,
            thresholds: { red: 0.99, yellow: 0.995, falling: true },
          },
          queries: [{ expr: fastShare, legend: 'within 300 ms' }],
        },
        budget('slow requests', `1 - ${fastShare}`, '0.01'),
        {
          title: 'Alerts',
          description: 'Alerts that fire now. docs/runbook.md has a section for each.',
          ...{ kind: 'stat', unit: 'short', thresholds: { red: 1 } },
          queries: [{ expr: 'sum(ALERTS{alertstate="firing"}) or vector(0)', legend: 'firing' }],
        },
        {
          title: 'Instances',
          description: 'Instances of gateway and services that answer. Fewer than six and something is missing.',
          ...{ kind: 'stat', unit: 'short', thresholds: { red: 6, falling: true } },
          queries: [{ expr: 'count(up{job=~"gateway|.+-service"} == 1) or vector(0)', legend: 'up' }],
        },
      ],
    },
    {
      title: 'At the gateway',
      panels: [
        {
          title: 'Requests by status',
          description:
            'Requests a second by class of status, without checks of health. 4xx is what clients did, 5xx what we did.',
          ...{ kind: 'timeseries', unit: 'reqps', stack: true },
          queries: [
            {
              expr: `sum by (class) (label_replace(rate(${all('$__rate_interval')}), "class", "\${1}xx", "status", "(.).."))`,
              legend: '{{class}}',
            },
          ],
        },
        {
          title: 'Duration',
          description: 'How long customers wait: half of them, all but one in twenty, all but one in a hundred.',
          ...{ kind: 'timeseries', unit: 's', thresholds: { red: 0.3 } },
          queries: [0.5, 0.95, 0.99].map(q => ({ expr: quantile(q), legend: `p${q * 100}` })),
        },
        {
          title: 'Burn rate',
          description:
            'How many times faster than allowed the error budgets are used up. At 1 they last for just 30 days; 14.4 pages.',
          ...{ kind: 'timeseries', unit: 'short', thresholds: { yellow: 1, red: 14.4 } },
          queries: [
            { expr: 'gateway:errors:ratio1h / 0.001', legend: 'failures, 1 h' },
            { expr: 'gateway:errors:ratio6h / 0.001', legend: 'failures, 6 h' },
            { expr: 'gateway:slow:ratio1h / 0.01', legend: 'slow, 1 h' },
            { expr: 'gateway:slow:ratio6h / 0.01', legend: 'slow, 6 h' },
          ],
        },
        {
          title: 'Turned away',
          description: 'Requests a second that a limit refused (429) or that were shed because of load (503).',
          ...{ kind: 'timeseries', unit: 'reqps', width: 12 },
          queries: [
            {
              expr: 'sum by (bucket) (rate(gateway_rate_limited_total[$__rate_interval]))',
              legend: 'limit {{bucket}}',
            },
            { expr: 'sum by (reason) (rate(gateway_shed_total[$__rate_interval]))', legend: 'shed: {{reason}}' },
          ],
        },
        {
          title: 'In flight',
          description: 'Requests that are being answered, by gateway. Beyond MAX_IN_FLIGHT (1,000) they are shed.',
          ...{ kind: 'timeseries', unit: 'short', thresholds: { red: 1000 }, width: 12 },
          queries: [{ expr: 'gateway_in_flight', legend: '{{instance}}' }],
        },
      ],
    },
    {
      title: 'Each service: rate, errors, duration',
      panels: [
        {
          title: 'Rate',
          description: 'Requests a second, all routes.',
          ...{ kind: 'timeseries', unit: 'reqps' },
          queries: [{ expr: `sum by (service) (${rates})`, legend: '{{service}}' }],
        },
        {
          title: 'Errors',
          description: 'Share of requests that were answered by a 5xx.',
          ...{ kind: 'timeseries', unit: 'percentunit', thresholds: { red: 0.001 } },
          queries: [
            {
              expr: `(sum by (service) (${failures}) or 0 * sum by (service) (${rates})) / sum by (service) (${rates})`,
              legend: '{{service}}',
            },
          ],
        },
        {
          title: 'Duration, p95',
          description: 'All but one request in twenty are answered within this time.',
          ...{ kind: 'timeseries', unit: 's', thresholds: { red: 0.3 } },
          queries: [
            {
              expr: `histogram_quantile(0.95, sum by (service, le) (rate(http_request_duration_seconds_bucket{${own}}[$__rate_interval])))`,
              legend: '{{service}}',
            },
          ],
        },
        {
          title: 'Busiest routes',
          description: 'The twenty routes with most requests a second in the time that is shown.',
          ...{ kind: 'table', unit: 'reqps', width: 12 },
          queries: [
            {
              expr: `topk(20, sum by (service, method, route) (rate(http_request_duration_seconds_count{${own}}[$__range])))`,
              legend: '',
            },
          ],
        },
        {
          title: 'Slowest routes',
          description: 'The twenty routes with the longest mean duration in the time that is shown.',
          ...{ kind: 'table', unit: 's', width: 12 },
          queries: [
            {
              expr: `topk(20, sum by (service, method, route) (rate(http_request_duration_seconds_sum{${own}}[$__range])) / (sum by (service, method, route) (rate(http_request_duration_seconds_count{${own}}[$__range])) > 0))`,
              legend: '',
            },
          ],
        },
      ],
    },
  ],
};
