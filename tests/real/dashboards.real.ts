import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { dashboards } from '@tradepost/local/dashboards/write';
import { recordFigures, startLoad } from './load.ts';
import { findPrometheus, type Prometheus, scrapeSeconds, startPrometheus } from './prometheus.ts';
import { type RealShop, startRealShop, until } from './realShop.ts';
import { freePorts, startConsul, startMongod, startRabbit, type TestServer } from './servers.ts';

const program = findPrometheus();
const loadMs = 60_000;
const foundMs = 60_000;
const address = { name: 'Ada', line1: '12 Mill Lane', city: 'York', postcode: 'YO1 7HH', country: 'GB' };

/** What Grafana would put in. */
const filledIn = (expr: string): string =>
  expr
    .replaceAll('$__rate_interval', `${4 * scrapeSeconds}s`)
    .replaceAll('$__range', '5m')
    .replaceAll('$service', '.*');

describe('dashboards and rules on a shop under load', {
  skip: program ? false : 'no prometheus: set PROMETHEUS_BIN',
}, () => {
  let servers: TestServer[] = [];
  let shop: RealShop;
  let prometheus: Prometheus;
  before(async () => {
    const [metricsPort = 0] = await freePorts(1);
    const [mongod, rabbit, consul] = await Promise.all([startMongod(), startRabbit(metricsPort), startConsul()]);
    servers = [mongod, rabbit, consul];
    prometheus = await startPrometheus(program ?? '', { consulUrl: consul.url, rabbitMetricsPort: metricsPort });
    servers.push(prometheus);
    shop = await startRealShop({
      ...{ mongodbUri: mongod.url, rabbitmqUrl: rabbit.url, consulUrl: consul.url, scale: 'order-service=2' },
      environment: { RATE_LIMIT_PER_MINUTE: '900' },
    });
  });
  after(async () => {
    await shop?.stop();
    await Promise.all(servers.map(server => server.close()));
  });

  test('every instance that Consul knows is scraped, the gateway at the port of its metrics', async () => {
    const wanted = shop
      .instances()
      .map(one => `127.0.0.1:${one.port}`)
      .sort();
    await until(
      async () => {
        const up = await prometheus.query('up{job=~"gateway|.+-service"} == 1');
        return JSON.stringify(up.map(one => one.metric.instance).sort()) === JSON.stringify(wanted);
      },
      foundMs,
      () => prometheus.query('up'),
    );
    const jobs = await prometheus.query('count by (job) (up == 1)');
    const counts = Object.fromEntries(jobs.map(({ metric, value }) => [metric.job, value]));
    assert.deepEqual(
      [counts['order-service'], counts.gateway, counts.rabbitmq, counts['rabbitmq-node'], counts.prometheus],
      [2, 1, 1, 1, 1],
    );
    if (!prometheus.readsConsul) process.stdout.write('This Prometheus cannot look into Consul itself\n');
  });

  test('after a minute of load every query of every panel has data', async () => {
    const load = await startLoad(shop, 4, { cancelOneIn: 6 });
    const token = await shop.register();
    const [product] = (await shop.send('GET', '/api/products?limit=1&inStock=true')).body.items;
    const body = { items: [{ productId: product.id, quantity: 1 }], shippingAddress: address };
    for (const end = performance.now() + loadMs; performance.now() < end; await sleep(1_000)) {
      const headers = { 'Idempotency-Key': randomUUID() };
      const declined = { ...body, payment: { token: 'tok_declined' } };
      await Promise.all([
        shop.send('POST', '/api/orders', { token, headers, body: declined }).catch(() => {}),
        shop.send('GET', '/api/nothing', { token }).catch(() => {}),
        shop.send('GET', '/api/products?search=tea', { token }).catch(() => {}),
        shop.register().catch(() => {}),
      ]);
    }
    // More than one user may ask in a minute.
    const flood = await Promise.all(Array.from({ length: 10 }, () => manyRequests(token, 100)));
    for (let n = 0; n < 3 * scrapeSeconds; n += 1) await Promise.all([shop.register(), sleep(1_000)]);
    const without: string[] = [];
    let queries = 0;
    for (const { dashboard } of dashboards) {
      for (const { title, queries: own } of dashboard.rows.flatMap(row => row.panels)) {
        for (const { expr } of own) {
          queries += 1;
          const samples = await prometheus.query(filledIn(expr));
          if (!samples.some(({ value }) => Number.isFinite(value)))
            without.push(`${dashboard.title}: ${title}: ${expr}`);
        }
      }
    }
    const report = await load.finish();
    assert.deepEqual(without, []);
    assert.ok(flood.some(limited => limited));
    const sizes = await prometheus.query('max by (job) (scrape_samples_scraped)');
    const series: Record<string, number> = Object.fromEntries(sizes.map(({ metric, value }) => [metric.job, value]));
    recordFigures('dashboards: queries, and series of an instance', report, { queries, ...series });
    for (const [job, count] of Object.entries(series)) assert.ok(count < 5_000, `${job}: ${count} series`);
  });

  test('rules are evaluated, and a service that is gone is missed', async () => {
    const firing = async () =>
      (await prometheus.query('ALERTS')).map(({ metric }) => `${metric.alertname} ${metric.job ?? ''}`);
    assert.ok((await prometheus.query('gateway:requests:rate5m'))[0]?.value);
    assert.ok(!(await firing()).some(alert => alert.startsWith('ServiceDown')));
    for (const instance of shop.instances('payment-service')) await instance.process.stop(15_000);
    await until(async () => (await firing()).includes('ServiceDown payment-service'), 90_000, firing);
  });

  async function manyRequests(token: string, count: number): Promise<boolean> {
    let limited = false;
    for (let n = 0; n < count; n += 1) {
      const answer = await shop.send('GET', '/api/nothing', { token }).catch(() => undefined);
      limited ||= answer?.status === 429;
    }
    return limited;
  }
});
