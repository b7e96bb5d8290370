import type { Dashboard } from './grafana.ts';

const p95 = (metric: string, by: string, more = ''): string =>
  `histogram_quantile(0.95, sum by (${by}, le) (rate(${metric}_bucket${more}[$__rate_interval])))`;
const perSecond = (metric: string, by: string): string => `sum by (${by}) (rate(${metric}[$__rate_interval]))`;

export const orders: Dashboard = {
  uid: 'tradepost-orders',
  title: 'Tradepost: orders and sagas',
  description: 'What becomes of orders, the steps that bring them to their end, payments and stock.',
  byService: false,
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Waiting for the operator',
          description:
            'Orders whose saga has failed too often and is parked. Should be none: SagaParked in the runbook.',
          ...{ kind: 'stat', unit: 'short', thresholds: { red: 1 } },
          queries: [{ expr: 'max(sagas_needing_attention)', legend: 'parked' }],
        },
        {
          title: 'Being worked on',
          description: 'Orders whose saga is not at its end. Grows when a step does not get through.',
          ...{ kind: 'stat', unit: 'short', thresholds: { yellow: 100 } },
          queries: [{ expr: 'max(sagas_running)', legend: 'running' }],
        },
        {
          title: 'Longest overdue',
          description:
            'How long ago somebody should have gone on with the order that has waited longest. More than a minute: SagaStuck.',
          ...{ kind: 'stat', unit: 's', thresholds: { yellow: 15, red: 60 } },
          queries: [{ expr: 'max(saga_overdue_seconds)', legend: 'overdue' }],
        },
        {
          title: 'Payments without an answer',
          description: 'Payments of which the provider has not said for too long what became of them.',
          ...{ kind: 'stat', unit: 'short', thresholds: { red: 1 } },
          queries: [{ expr: 'max(payments_unresolved)', legend: 'unresolved' }],
        },
        {
          title: 'Confirmed',
          description: 'Share of the orders decided in the time that is shown which were confirmed.',
          ...{ kind: 'stat', unit: 'percentunit', decimals: 1, thresholds: { red: 0.5, yellow: 0.8, falling: true } },
          queries: [
            {
              expr: 'sum(increase(order_events_total{type="OrderConfirmed"}[$__range])) / sum(increase(order_events_total{type=~"OrderConfirmed|OrderCancelled"}[$__range]))',
              legend: 'confirmed',
            },
          ],
        },
        {
          title: 'Holds that expired',
          description:
            'Holds on stock that went back because their order did not go on within 15 minutes, in the time that is shown.',
          ...{ kind: 'stat', unit: 'short', decimals: 0, thresholds: { yellow: 1 } },
          queries: [{ expr: 'sum(increase(inventory_expired_holds_total[$__range]))', legend: 'expired' }],
        },
      ],
    },
    {
      title: 'Orders',
      panels: [
        {
          title: 'Orders by outcome',
          description: 'Orders a second that were placed, confirmed, or cancelled, by the cause of the cancellation.',
          ...{ kind: 'timeseries', unit: 'short', width: 12 },
          queries: [
            { expr: 'sum(rate(order_events_total{type="OrderCreated"}[$__rate_interval]))', legend: 'placed' },
            { expr: 'sum(rate(order_events_total{type="OrderConfirmed"}[$__rate_interval]))', legend: 'confirmed' },
            {
              expr: 'sum by (cause) (rate(order_events_total{type="OrderCancelled"}[$__rate_interval]))',
              legend: 'cancelled: {{cause}}',
            },
          ],
        },
        {
          title: 'Compensations',
          description:
            'Sagas a second that came to their end: confirmed, or compensated, with stock and money given back; and refunds.',
          ...{ kind: 'timeseries', unit: 'short', width: 12 },
          queries: [
            { expr: perSecond('sagas_finished_total', 'outcome'), legend: '{{outcome}}' },
            { expr: 'sum(rate(order_events_total{type="PaymentRefunded"}[$__rate_interval]))', legend: 'refunds' },
          ],
        },
        {
          title: 'Duration of saga steps, p95',
          description:
            'By the state a step starts from: created reserves stock, reserved charges, confirmed commits the stock, cancelled gives back.',
          ...{ kind: 'timeseries', unit: 's', thresholds: { red: 2.5 } },
          queries: [{ expr: p95('saga_step_duration_seconds', 'state'), legend: '{{state}}' }],
        },
        {
          title: 'Saga steps',
          description:
            'Steps a second by state and result. Errors are repeated with growing pauses, and the order is parked in the end.',
          ...{ kind: 'timeseries', unit: 'short' },
          queries: [
            { expr: perSecond('saga_step_duration_seconds_count', 'state, result'), legend: '{{state}}: {{result}}' },
          ],
        },
        {
          title: 'Failed runs',
          description:
            'Runs of sagas a second that ended with a failed step; parked are those after which nobody tries again.',
          ...{ kind: 'timeseries', unit: 'short', thresholds: { red: 0.2 } },
          queries: [{ expr: perSecond('saga_failures_total', 'parked'), legend: 'parked: {{parked}}' }],
        },
      ],
    },
    {
      title: 'Payments and stock',
      panels: [
        {
          title: 'Payments by result',
          description: 'Payments a second. void: cancelled before anything was charged.',
          ...{ kind: 'timeseries', unit: 'short' },
          queries: [{ expr: perSecond('payments_total', 'result'), legend: '{{result}}' }],
        },
        {
          title: 'Calls to the provider, p95',
          description: 'How long the payment provider takes, by what it is asked for.',
          ...{ kind: 'timeseries', unit: 's', thresholds: { red: 3 } },
          queries: [{ expr: p95('payment_provider_duration_seconds', 'operation'), legend: '{{operation}}' }],
        },
        {
          title: 'Calls to the provider',
          description:
            'Calls a second by outcome. Everything but answered leaves a payment open, which is asked for again.',
          ...{ kind: 'timeseries', unit: 'short' },
          queries: [{ expr: perSecond('payment_provider_duration_seconds_count', 'outcome'), legend: '{{outcome}}' }],
        },
        {
          title: 'Reservations',
          description:
            'Calls of reserve a second: held, again (repeated), short (not enough stock), released (the order was turned back).',
          ...{ kind: 'timeseries', unit: 'short' },
          queries: [{ expr: perSecond('inventory_reservations_total', 'outcome'), legend: '{{outcome}}' }],
        },
        {
          title: 'Ledger and conflicts',
          description:
            'Movements a second that went to the ledger, and stock writes that were decided again because another was faster.',
          ...{ kind: 'timeseries', unit: 'short' },
          queries: [
            { expr: 'sum(rate(inventory_drained_movements_total[$__rate_interval]))', legend: 'movements' },
            { expr: 'sum(rate(inventory_write_conflicts_total[$__rate_interval]))', legend: 'conflicts' },
          ],
        },
        {
          title: 'Calls of order-service, p95',
          description: 'How long the other services take for what an order needs of them, with all tries.',
          ...{ kind: 'timeseries', unit: 's', thresholds: { red: 1 } },
          queries: [
            {
              expr: p95('service_client_duration_seconds', 'callee', '{service="order-service"}'),
              legend: '{{callee}}',
            },
          ],
        },
      ],
    },
  ],
};
