import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { send, startTestService, type TestService } from '@tradepost/local/testing';
import { type Listener, listen } from '@tradepost/shared/http/listener';
import { createRegistry } from '@tradepost/shared/observability/metrics';
import type { Service, ServiceDependencies } from '@tradepost/shared/service';
import { createApp } from './app.ts';
import { eventually } from './products.testing.ts';

const config = { PRODUCT_CACHE_SIZE: 100, STREAM_IDLE_MS: 1_000 };
let first: TestService;
let second: Service;
let listener: Listener;

before(async () => {
  let shared: ServiceDependencies | undefined;
  first = await startTestService('product-service', dependencies => {
    shared = dependencies;
    return createApp(dependencies, config);
  });
  second = createApp({ ...shared!, registry: createRegistry('second', { processMetrics: false }) }, config);
  listener = await listen(second.listener, { port: 0, host: '127.0.0.1' });
  await second.start();
});
after(async () => {
  await second.stop();
  await listener.close(1_000);
  await first.close();
});

test('what one instance writes the other shows: by id, in lists and in searches', async () => {
  const token = first.token({ id: 'admin', role: 'admin' });
  const other = (path: string) => send(`http://127.0.0.1:${listener.port}`, 'GET', path);
  const price = (amount: number) => ({ amount, currency: 'GBP' });
  const body = { sku: 'A', name: 'Teapot', price: price(100), category: 'Kitchen' };
  const { id } = (await first.send('POST', '/api/products', { token, body })).body;
  await eventually(async () => (await other('/api/products?search=teapot')).body.items.length === 1);
  const { etag } = Object.fromEntries((await other(`/api/products/${id}`)).headers);

  await first.send('PATCH', `/api/products/${id}`, { token, body: { price: price(90) } });
  await eventually(async () => (await other(`/api/products/${id}`)).body.price.amount === 90);
  await eventually(async () => (await other('/api/products?maxPrice=90')).body.items[0]?.price.amount === 90);
  assert.notEqual((await other(`/api/products/${id}`)).headers.get('etag'), etag);

  await first.send('DELETE', `/api/products/${id}`, { token });
  await eventually(async () => (await other('/api/products')).body.items.length === 0);
  assert.deepEqual((await other('/api/products/categories')).body.items, []);
  assert.equal((await other(`/api/products/${id}`)).body.status, 'archived');
});
