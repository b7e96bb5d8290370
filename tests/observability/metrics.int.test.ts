import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { listMetrics } from '@tradepost/local/metrics/inventory';
import { metricsPage, metricsText } from '@tradepost/local/metrics/page';
import { serviceNames } from '@tradepost/shared/discovery';
import { eventually, startTestShop } from '../system/testShop.ts';

describe('the metrics of all processes', () => {
  test('are those of the page; otherwise run: npm run metrics', async () => {
    assert.equal(readFileSync(metricsPage, 'utf8'), await metricsText());
  });

  test('are named as Prometheus advises', async () => {
    const wrong = (await listMetrics()).filter(({ name, type }) => {
      if (!/^[a-z][a-z0-9_]*$/.test(name) || /_(ms|milliseconds|minutes|kb|mb)(_|$)/.test(name)) return true;
      return type === 'counter' ? !name.endsWith('_total') : /_total$|_count$|_sum$|_bucket$/.test(name);
    });
    // Two gauges of prom-client's own.
    const known = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];
    assert.deepEqual(
      wrong.map(({ name }) => name).filter(name => !known.includes(name)),
      [],
    );
  });
});

describe('in a shop at work', async () => {
  const shop = await startTestShop({ environment: { RATE_LIMIT_PER_MINUTE: '150' } });
  const addresses = [
    ['gateway', shop.ports.gatewayMetrics.address],
    ...serviceNames.map(name => [name, shop.ports.services[name].address]),
  ] as const;
  const scrape = async () => {
    const texts = await Promise.all(addresses.map(async ([, url]) => (await fetch(`${url}/metrics`)).text()));
    return texts.join('\n');
  };
  /** The sum of the series whose name and labels fit. */
  const sumOf = (text: string, name: string, ...labels: string[]): number | undefined => {
    const lines = text.split('\n').filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    const found = lines.filter(line => labels.every(label => line.includes(label)));
    return found.length === 0 ? undefined : found.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };
  const product = await shop.productBySku(
    (await shop.send('GET', '/api/products?limit=1&inStock=true')).body.items[0].sku,
  );
  const { token } = await shop.register();

  test('counters with known labels are there, at zero, before anything has happened', async () => {
    const text = await scrape();
    for (const [name, label] of [
      ['order_events_total', 'cause="requested"'],
      ['order_events_total', 'type="OrderConfirmed"'],
      ['sagas_finished_total', 'outcome="compensated"'],
      ['saga_failures_total', 'parked="true"'],
      ['saga_step_duration_seconds_count', 'state="cancelled"'],
      ['payments_total', 'result="declined"'],
      ['inventory_reservations_total', 'outcome="short"'],
      ['inventory_expired_holds_total', ''],
      ['gateway_shed_total', 'reason="in_flight"'],
      ['gateway_rate_limited_total', 'bucket="auth"'],
      ['gateway_upstream_failures_total', 'upstream="order-service"'],
      ['gateway_breaker_open', 'upstream="payment-service"'],
      ['service_client_breaker_open', 'callee="payment-service"'],
      ['service_client_retries_total', 'callee="inventory-service"'],
      ['bus_deliveries_total', 'queue="payment-service.order.cancelled",outcome="dead_lettered"'],
      ['bus_dead_letters', 'consumer="user-service"'],
      ['sagas_needing_attention', ''],
      ['saga_overdue_seconds', ''],
      ['payments_unresolved', ''],
    ] as const) {
      assert.equal(sumOf(text, name, label), 0, `${name} ${label}`);
    }
    assert.equal(sumOf(text, 'bus_up'), 1);
  });

  test('an order that is placed, declined or turned back is told by each service', async () => {
    const buy = (payment: string) => shop.orderToEnd(token, [{ productId: product.id, quantity: 1 }], { payment });
    assert.equal((await buy('tok_declined')).status, 402);
    const { body } = await buy('tok_visa');
    const cancel = () => shop.send('POST', `/api/orders/${body.id}/cancel`, { token });
    await eventually(cancel, ({ status }) => status === 200, 60_000);
    assert.equal((await buy('tok_visa')).status, 201);
    const expected: [number, string, ...string[]][] = [
      [3, 'order_events_total', 'type="OrderCreated"'],
      [2, 'order_events_total', 'type="OrderConfirmed"'],
      [1, 'order_events_total', 'cause="payment_declined"'],
      [1, 'order_events_total', 'cause="requested"'],
      [1, 'order_events_total', 'type="PaymentRefunded"'],
      [2, 'sagas_finished_total', 'outcome="compensated"'],
      [2, 'payments_total', 'result="captured"'],
      [1, 'payments_total', 'result="declined"'],
      [1, 'payments_total', 'result="refunded"'],
      [3, 'inventory_reservations_total', 'outcome="held"'],
      [2, 'bus_deliveries_total', 'queue="payment-service.order.cancelled"', 'outcome="handled"'],
      [2, 'bus_deliveries_total', 'queue="user-service.order.confirmed"', 'outcome="handled"'],
      [0, 'outbox_depth'],
      [0, 'outbox_age_seconds'],
      [0, 'sagas_running'],
    ];
    const missing = await eventually(
      async () => {
        const text = await scrape();
        const wrong = expected.filter(([value, ...look]) => sumOf(text, ...(look as [string])) !== value);
        return wrong.map(([value, ...look]) => [value, sumOf(text, ...(look as [string])), ...look]);
      },
      wrong => wrong.length === 0,
      30_000,
    );
    assert.deepEqual(missing, []);
    const text = await scrape();
    assert.ok((sumOf(text, 'outbox_published_total', 'order-service') ?? 0) >= 5);
    assert.ok((sumOf(text, 'service_client_calls_total', 'answered', 'payment-service') ?? 0) >= 3);
  });

  test('the pools of all databases are shown', async () => {
    const text = await scrape();
    for (const name of serviceNames) {
      const own = (metric: string) => sumOf(text, `mongodb_pool_${metric}`, `service="${name}"`) ?? -1;
      assert.ok(own('connections') >= 1, `${name} ${own('connections')}`);
      assert.equal(own('connections_limit'), 20);
      assert.equal(own('waiting'), 0);
      assert.ok(own('connections_checked_out') >= 0 && own('connections_checked_out') <= own('connections'));
      assert.ok(own('checkout_duration_seconds_count') > 0);
    }
  });

  test('what clients make up makes no series', async () => {
    const known = (text: string) =>
      [...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) => `${label}=${value}`);
    const before = new Set(known(await scrape()));
    const odd = (n: number) => [
      `/x${n}`,
      `/api/x${n}`,
      `/api/orders/x${n}`,
      `/api/products/x${n}?search=${n}`,
      `/docs/${n}`,
    ];
    for (let n = 0; n < 10; n += 1) {
      for (const path of odd(n)) await shop.send('GET', path, { token: n % 2 === 0 ? token : `t${n}` });
      await shop.send('GET', `/api/x${n}`, { headers: { 'X-Request-Id': `id-${n}`, 'User-Agent': `agent-${n}` } });
    }
    const after = known(await scrape());
    // `type` is that of a resource that Node itself had open at that moment.
    const own = /^(le|quantile|version|type)=/;
    const added = new Set(after.filter(pair => !before.has(pair) && !own.test(pair)));
    for (const pair of added) assert.match(pair, /^(status=\d{3}|route=[a-z/.:]+|result=\w+|outcome=\w+)$/i);
    const routes = after.filter(pair => pair.startsWith('route='));
    assert.ok(new Set(routes).size < 60, `${new Set(routes).size} routes`);
  });

  test('whoever asks too much is counted', async () => {
    for (let n = 0; n < 160; n += 1) await shop.send('GET', '/api/nothing', { token });
    assert.ok((sumOf(await scrape(), 'gateway_rate_limited_total', 'bucket="api"') ?? 0) > 0);
  });
});
