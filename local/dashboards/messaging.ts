import type { Dashboard } from './grafana.ts';

const work = 'queue!~"listener.*"';
const ofShop = 'queue=~".+-service[.].+"';
const p95 = (metric: string, filter: string): string =>
  `histogram_quantile(0.95, sum by (queue, le) (rate(${metric}_bucket{${filter}}[$__rate_interval])))`;

export const messaging: Dashboard = {
  uid: 'tradepost-messaging',
  title: 'Tradepost: messaging',
  description: 'From the outbox of a service over the broker to the last consumer.',
  byService: false,
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Connections to the broker',
          description:
            'Processes that can publish and consume. Orders are taken without the broker; their messages wait in the outbox.',
          ...{ kind: 'stat', unit: 'short', thresholds: { red: 6, falling: true } },
          queries: [{ expr: 'sum(bus_up)', legend: 'connected' }],
        },
        {
          title: 'Dead letters',
          description:
            'Messages that failed for good and wait for the operator. Should be none: DeadLetters in the runbook.',
          ...{ kind: 'stat', unit: 'short', thresholds: { red: 1 } },
          queries: [{ expr: 'sum(max by (consumer) (bus_dead_letters))', legend: 'dead letters' }],
        },
        {
          title: 'Waiting to be published',
          description: 'Documents whose messages wait in an outbox.',
          ...{ kind: 'stat', unit: 'short', thresholds: { yellow: 100, red: 1000 } },
          queries: [{ expr: 'sum(max by (service) (outbox_depth))', legend: 'waiting' }],
        },
        {
          title: 'Oldest in an outbox',
          description: 'Age of the oldest message that waits to be published. More than a minute: OutboxOld.',
          ...{ kind: 'stat', unit: 's', thresholds: { yellow: 15, red: 60 } },
          queries: [{ expr: 'max(outbox_age_seconds)', legend: 'age' }],
        },
        {
          title: 'Ready in queues',
          description: 'Messages that lie in the queues of services at the broker.',
          ...{ kind: 'stat', unit: 'short', thresholds: { yellow: 1000, red: 10000 } },
          queries: [{ expr: `sum(rabbitmq_detailed_queue_messages_ready{${ofShop}})`, legend: 'ready' }],
        },
        {
          title: 'Memory of the broker',
          description: 'Resident memory of RabbitMQ. Near its limit it stops taking messages.',
          ...{ kind: 'stat', unit: 'bytes' },
          queries: [{ expr: 'sum(rabbitmq_process_resident_memory_bytes)', legend: 'memory' }],
        },
      ],
    },
    {
      title: 'Outboxes',
      panels: [
        {
          title: 'Depth',
          description: 'Documents whose messages wait to be published, by service. Grows while the broker is away.',
          ...{ kind: 'timeseries', unit: 'short', thresholds: { red: 1000 } },
          queries: [{ expr: 'max by (service) (outbox_depth)', legend: '{{service}}' }],
        },
        {
          title: 'Age',
          description: 'Age of the oldest message that waits, by service.',
          ...{ kind: 'timeseries', unit: 's', thresholds: { red: 60 } },
          queries: [{ expr: 'max by (service) (outbox_age_seconds)', legend: '{{service}}' }],
        },
        {
          title: 'Published and refused',
          description:
            'Messages a second that the broker has taken, and that it refused for another reason than being away.',
          ...{ kind: 'timeseries', unit: 'short' },
          queries: [
            { expr: 'sum by (service) (rate(outbox_published_total[$__rate_interval]))', legend: '{{service}}' },
            { expr: 'sum by (service) (rate(outbox_refused_total[$__rate_interval]))', legend: '{{service}} refused' },
          ],
        },
      ],
    },
    {
      title: 'Consumers',
      panels: [
        {
          title: 'Handled',
          description: 'Messages a second that were handled, by queue.',
          ...{ kind: 'timeseries', unit: 'short' },
          queries: [
            {
              expr: `sum by (queue) (rate(bus_deliveries_total{outcome="handled", ${work}}[$__rate_interval]))`,
              legend: '{{queue}}',
            },
          ],
        },
        {
          title: 'Lag, p95',
          description:
            'From what a message tells of until its handler begins. Grows when consumers cannot keep up or publishing was late.',
          ...{ kind: 'timeseries', unit: 's', thresholds: { red: 30 } },
          queries: [{ expr: p95('bus_lag_seconds', work), legend: '{{queue}}' }],
        },
        {
          title: 'Handling, p95',
          description: 'How long handlers take.',
          ...{ kind: 'timeseries', unit: 's', thresholds: { red: 2 } },
          queries: [{ expr: p95('bus_handling_seconds', work), legend: '{{queue}}' }],
        },
        {
          title: 'Retries',
          description: 'Messages a second whose handler failed and that are tried again after a pause.',
          ...{ kind: 'timeseries', unit: 'short', thresholds: { red: 0.1 } },
          queries: [
            {
              expr: 'sum by (queue) (rate(bus_deliveries_total{outcome="retried"}[$__rate_interval]))',
              legend: '{{queue}}',
            },
          ],
        },
        {
          title: 'Dead letters by consumer',
          description: 'Dead letters that wait, by the service that could not handle them.',
          ...{ kind: 'timeseries', unit: 'short', thresholds: { red: 1 } },
          queries: [{ expr: 'max by (consumer) (bus_dead_letters)', legend: '{{consumer}}' }],
        },
        {
          title: 'Listeners of every instance',
          description: 'What every instance hears for its caches, a second; missed ones make it load them again.',
          ...{ kind: 'timeseries', unit: 'short' },
          queries: [
            {
              expr: 'sum by (queue, outcome) (rate(bus_deliveries_total{queue=~"listener.*"}[$__rate_interval]))',
              legend: '{{queue}} {{outcome}}',
            },
          ],
        },
      ],
    },
    {
      title: 'At the broker',
      panels: [
        {
          title: 'Ready',
          description: 'Messages that wait in a queue, dead letters too.',
          ...{ kind: 'timeseries', unit: 'short', thresholds: { red: 1000 } },
          queries: [
            { expr: `sum by (queue) (rabbitmq_detailed_queue_messages_ready{${ofShop}})`, legend: '{{queue}}' },
          ],
        },
        {
          title: 'Being handled',
          description: 'Messages that a consumer has and has not acknowledged yet.',
          ...{ kind: 'timeseries', unit: 'short' },
          queries: [
            { expr: `sum by (queue) (rabbitmq_detailed_queue_messages_unacked{${ofShop}})`, legend: '{{queue}}' },
          ],
        },
        {
          title: 'Consumers',
          description:
            'Consumers of each queue: as many as the service has instances. None for a queue of dead letters.',
          ...{ kind: 'timeseries', unit: 'short' },
          queries: [{ expr: `sum by (queue) (rabbitmq_detailed_queue_consumers{${ofShop}})`, legend: '{{queue}}' }],
        },
        {
          title: 'Connections and channels',
          description: 'Each process has two connections, one to publish and one to consume.',
          ...{ kind: 'timeseries', unit: 'short', width: 12 },
          queries: [
            { expr: 'sum(rabbitmq_connections)', legend: 'connections' },
            { expr: 'sum(rabbitmq_channels)', legend: 'channels' },
          ],
        },
        {
          title: 'Free disk',
          description: 'Below its limit the broker stops taking messages.',
          ...{ kind: 'timeseries', unit: 'bytes', width: 12 },
          queries: [
            { expr: 'min(rabbitmq_disk_space_available_bytes)', legend: 'free' },
            { expr: 'max(rabbitmq_disk_space_available_limit_bytes)', legend: 'limit' },
          ],
        },
      ],
    },
  ],
};
