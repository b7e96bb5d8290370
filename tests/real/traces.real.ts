import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type OtlpReceiver, startOtlpReceiver } from '@tradepost/shared/testing/otlpReceiver';
import { assertSound, isWholeConfirmed, isWholeDeclined, ofConfirmed, ofDeclined } from '../system/orderTraces.ts';
import { type RealShop, settled, startRealShop, until } from './realShop.ts';
import { startMongod, startRabbit, type TestServer } from './servers.ts';

describe('traces and logs of the shop as processes', () => {
  let servers: TestServer[];
  let receiver: OtlpReceiver;
  let shop: RealShop;
  let token: string;
  let teapot: string;
  before(async () => {
    const [mongod, rabbit] = await Promise.all([startMongod(), startRabbit()]);
    servers = [mongod, rabbit];
    receiver = await startOtlpReceiver();
    shop = await startRealShop({
      ...{ mongodbUri: mongod.url, rabbitmqUrl: rabbit.url, scale: 'order-service=2' },
      environment: { LOG_LEVEL: 'info', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '100' },
    });
    token = await shop.register();
    teapot = (await shop.send('GET', '/api/products?sku=KIT-TEAPOT')).body.items[0].id;
  });
  after(async () => {
    await shop?.stop();
    await receiver?.close();
    await Promise.all((servers ?? []).map(server => server.close()));
  });

  const spansOf = (traceId: string) => receiver.spans.filter(span => span.traceId === traceId);
  const order = async (card: string, traceId: string) => {
    const answer = await shop.send('POST', '/api/orders', {
      token,
      headers: { 'Idempotency-Key': `key-${traceId}`, traceparent: `00-${traceId}-${'b'.repeat(16)}-01` },
      body: {
        items: [{ productId: teapot, quantity: 1 }],
        shippingAddress: { name: 'Ada', line1: '12 Mill Lane', city: 'York', postcode: 'YO1 7HH', country: 'GB' },
        payment: { token: card },
      },
    });
    assert.equal(answer.headers.get('x-trace-id'), traceId);
    return answer;
  };
  /** The client's own span is not among those received. */
  const rooted = (traceId: string) =>
    spansOf(traceId).map(span => (span.parentSpanId === 'b'.repeat(16) ? { ...span, parentSpanId: undefined } : span));

  test('a confirmed order is one trace over all processes, and every log line about it names it', async () => {
    const traceId = 'c'.repeat(32);
    const { status, body } = await order('tok_visa', traceId);
    assert.equal(status, 201);
    await until(
      () => isWholeConfirmed(rooted(traceId)),
      20_000,
      () => ofConfirmed(rooted(traceId)),
    );
    assert.deepEqual(ofConfirmed(rooted(traceId)).strange, []);
    assertSound(rooted(traceId));
    // Either instance of order-service may publish what the other has appended.
    assert.ok(new Set(spansOf(traceId).map(span => span.instance)).size >= 6);
    const lines = shop
      .log()
      .split('\n')
      .flatMap(line => (/\{.*\}$/.test(line) ? [JSON.parse(line.slice(line.indexOf('{')))] : []))
      .filter(line => line.traceId === traceId);
    assert.deepEqual([...new Set(lines.map(line => line.service))].sort(), [
      ...['gateway', 'inventory-service', 'order-service', 'payment-service', 'product-service', 'user-service'],
    ]);
    for (const line of lines) assert.ok(line.requestId && line.msg && line.time, JSON.stringify(line));
    const about = lines.filter(line => line.orderId === body.id).map(line => `${line.service} ${line.msg}`);
    for (const event of ['gateway request', 'order-service request', 'order-service message published']) {
      assert.ok(about.includes(event), `${event} is among ${about}`);
    }
    assert.ok(about.includes('user-service message handled') && about.includes('payment-service request'));
  });

  test('a declined one shows over RabbitMQ what is taken back', async () => {
    const traceId = 'd'.repeat(32);
    assert.equal((await order('tok_declined', traceId)).status, 402);
    await until(
      () => isWholeDeclined(rooted(traceId)),
      20_000,
      () => ofDeclined(rooted(traceId)),
    );
    assert.deepEqual(ofDeclined(rooted(traceId)).strange, []);
    assertSound(rooted(traceId));
  });

  test('an order whose process was killed goes on in another, in the trace that it began in', async () => {
    const traceId = 'e'.repeat(32);
    const placed = order('tok_slow', traceId).catch(() => undefined);
    await until(() => spansOf(traceId).some(span => span.name === 'POST /internal/reservations/:orderId/pin'), 20_000);
    for (const one of shop.instances('order-service')) one.process.signal('SIGKILL');
    await placed;
    await settled(shop, 40_000);
    await until(
      () => spansOf(traceId).some(span => span.name === 'consume user-service.order.confirmed'),
      20_000,
      () => spansOf(traceId).map(span => `${span.service}: ${span.name}`),
    );
    const names = spansOf(traceId).map(span => span.name);
    for (const step of ['saga charge', 'saga commit', 'publish order.confirmed']) {
      assert.ok(names.includes(step), `${step} is among ${names}`);
    }
  });
});
