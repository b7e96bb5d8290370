import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { startTestService, type TestService } from '@tradepost/local/testing';
import { createApp } from './app.ts';
import { type StandIns, startStandIns } from './standIns.testing.ts';

const address = { name: 'Ada', line1: '1 High Street', city: 'London', postcode: 'N1', country: 'GB' };

describe('orders', () => {
  let world: StandIns;
  let orders: TestService;
  const user = () => ({ id: randomUUID() });

  before(async () => {
    world = await startStandIns();
    const all = {
      'product-service': world.url,
      'user-service': world.url,
      'inventory-service': world.url,
      'payment-service': world.url,
    };
    orders = await startTestService(
      'order-service',
      dependencies =>
        createApp(dependencies, {
          ORDER_WAIT_MS: 2_000,
          SAGA_LEASE_MS: 5_000,
          SAGA_MAX_ATTEMPTS: 10,
          SAGA_POLL_MS: 50,
          RELAY_CLAIM_MS: 10_000,
        }),
      { addresses: all },
    );
    world.prices.set('mug', 500).set('pot', 1200);
    world.stock.set('mug', 1_000).set('pot', 1_000).set('rare', 1);
    world.prices.set('rare', 9_900);
  });
  after(async () => {
    await orders.close();
    await world.close();
  });

  const body = (productId = 'mug', quantity = 2, token = 'tok_visa') => ({
    items: [{ productId, quantity }],
    shippingAddress: address,
    payment: { token },
  });
  const place = (token: string, request: unknown = body(), key: string = randomUUID()) =>
    orders.send('POST', '/api/orders', { token, body: request, headers: { 'Idempotency-Key': key } });
  /** Asks again with the same key until the order is decided, as a client does after a 202. */
  const placeToTheEnd = async (token: string) => {
    const key = randomUUID();
    for (;;) {
      const placed = await place(token, body(), key);
      if (placed.status !== 202 && placed.body.code !== 'request_in_progress') return placed;
    }
  };
  const admin = () => orders.token({ id: randomUUID(), role: 'admin' });
  /** Waits for what happens behind the answer; fails by the test's own time limit only. */
  const eventually = async (check: () => Promise<boolean> | boolean) => {
    while (!(await check())) await new Promise(resolve => setTimeout(resolve, 20));
  };

  it('places an order: confirmed, paid, stock sold', async () => {
    const token = orders.token(user());
    const stock = world.stock.get('mug') ?? 0;
    const placed = await place(token);
    assert.equal(placed.status, 201);
    const { id } = placed.body;
    assert.equal(placed.headers.get('location'), `/api/orders/${id}`);
    assert.equal(placed.body.status, 'confirmed');
    assert.deepEqual(placed.body.total, { amount: 1000, currency: 'GBP' });
    assert.deepEqual(placed.body.shippingAddress, address);
    assert.equal(placed.body.version, 4);
    assert.equal(world.captured.get(id), 1000);
    assert.equal(world.stock.get('mug'), stock - 2);
    const found = await orders.send('GET', `/api/orders/${id}`, { token });
    assert.deepEqual(found.body, placed.body);
    const events = await orders.send('GET', `/api/orders/${id}/events`, { token });
    assert.deepEqual(
      events.body.items.map((event: { version: number; type: string }) => [event.version, event.type]),
      [
        [1, 'OrderCreated'],
        [2, 'StockReserved'],
        [3, 'PaymentCaptured'],
        [4, 'OrderConfirmed'],
      ],
    );
    assert.ok(!JSON.stringify(events.body).includes('High Street'), 'no personal data in events');
  });

  it('shows an order as it was at a version or a time', async () => {
    const token = orders.token(user());
    const { body: placed } = await place(token);
    const past = await orders.send('GET', `/api/orders/${placed.id}?version=2`, { token });
    assert.equal(past.body.status, 'pending');
    assert.equal(past.body.version, 2);
    const now = await orders.send('GET', `/api/orders/${placed.id}?at=2100-01-01T00:00:00Z`, { token });
    assert.deepEqual(now.body, placed);
    assert.equal((await orders.send('GET', `/api/orders/${placed.id}?at=2000-01-01T00:00:00Z`, { token })).status, 404);
    assert.equal((await orders.send('GET', `/api/orders/${placed.id}?version=9`, { token })).status, 404);
    assert.equal((await orders.send('GET', `/api/orders/${placed.id}?version=0`, { token })).status, 400);
  });

  it('answers the same for the same Idempotency-Key, and makes one order', async () => {
    const token = orders.token(user());
    const key = randomUUID();
    const [first, ...others] = await Promise.all(Array.from({ length: 10 }, () => place(token, body(), key)));
    for (const one of [first!, ...others]) assert.ok([201, 409].includes(one.status), `${one.status}`);
    const again = await place(token, body(), key);
    assert.equal(again.status, 201);
    const list = await orders.send('GET', '/api/orders', { token });
    assert.equal(list.body.items.length, 1);
    assert.deepEqual(list.body.items[0], again.body);
    assert.equal((await place(token, body('pot'), key)).body.code, 'idempotency_key_reused');
    assert.equal((await place(orders.token(user()), body(), key)).status, 201, 'keys belong to their user');
  });

  it('requires an Idempotency-Key of visible ASCII', async () => {
    const token = orders.token(user());
    for (const headers of [{}, { 'Idempotency-Key': 'with space' }, { 'Idempotency-Key': 'x'.repeat(129) }] as Record<
      string,
      string
    >[]) {
      const refused = await orders.send('POST', '/api/orders', { token, body: body(), headers });
      assert.equal(refused.status, 400);
      assert.equal(refused.body.code, 'idempotency_key_required');
    }
  });

  it('refuses an unknown product, and the key remembers it', async () => {
    const token = orders.token(user());
    const key = randomUUID();
    const refused = await place(token, body('ghost'), key);
    assert.equal(refused.status, 422);
    assert.equal(refused.body.code, 'unknown_product');
    world.prices.set('ghost', 1);
    const again = await place(token, body('ghost'), key);
    assert.equal(again.body.code, 'unknown_product');
    assert.deepEqual(again.body.productIds, ['ghost']);
    world.prices.delete('ghost');
  });

  it('refuses what is not there, names the shortage, and replays it', async () => {
    const token = orders.token(user());
    const key = randomUUID();
    const refused = await place(token, body('rare', 5), key);
    assert.equal(refused.status, 409);
    assert.equal(refused.body.code, 'insufficient_stock');
    assert.deepEqual(refused.body.shortages, [{ productId: 'rare', requested: 5, available: 1 }]);
    const cancelled = await orders.send('GET', `/api/orders/${refused.body.orderId}`, { token });
    assert.equal(cancelled.body.status, 'cancelled');
    const again = await place(token, body('rare', 5), key);
    const { requestId: _a, traceId: _c, ...one } = refused.body;
    const { requestId: _b, traceId: _d, ...two } = again.body;
    assert.deepEqual(one, two);
  });

  it('turns back a declined order', async () => {
    const token = orders.token(user());
    const refused = await place(token, body('mug', 1, 'tok_declined'));
    assert.equal(refused.status, 402);
    assert.equal(refused.body.reason, 'card_declined');
    assert.equal(world.holds.get(refused.body.orderId), undefined);
    const order = await orders.send('GET', `/api/orders/${refused.body.orderId}`, { token });
    assert.equal(order.body.status, 'cancelled');
    assert.equal(order.body.payment.status, 'declined');
  });

  for (const operation of ['reserve', 'pin', 'charge', 'commit'] as const) {
    for (const fault of ['error', 'lost'] as const) {
      it(`confirms once although ${operation} goes wrong (${fault})`, async () => {
        const token = orders.token(user());
        world.spoil(operation, fault, fault, fault, fault);
        const placed = await placeToTheEnd(token);
        assert.equal(placed.status, 201, JSON.stringify(placed.body));
        const { id } = placed.body;
        await eventually(() => world.sold.get(id)?.size === 1);
        assert.equal(world.captured.get(id), 1000);
        assert.equal(world.refunds.get(id), undefined);
      });
    }
  }

  it('answers 202 when it takes too long, and finishes without the client', async () => {
    const token = orders.token(user());
    let goOn = (): void => {};
    world.spoil(
      'charge',
      () =>
        new Promise<void>(resolve => {
          goOn = resolve;
        }),
    );
    const key = randomUUID();
    const placed = await place(token, body(), key);
    assert.equal(placed.status, 202);
    assert.equal(placed.body.status, 'pending');
    assert.equal((await place(token, body(), key)).body.code, 'request_in_progress');
    goOn();
    const location = placed.headers.get('location') ?? '';
    await eventually(async () => (await orders.send('GET', location, { token })).body.status === 'confirmed');
    assert.equal((await place(token, body(), key)).status, 201);
  });

  it('hides orders from others', async () => {
    const { body: placed } = await place(orders.token(user()));
    const stranger = orders.token(user());
    const unknown = await orders.send('GET', `/api/orders/${randomUUID()}`, { token: stranger });
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/events'],
      ['POST', '/cancel'],
    ] as const) {
      const hidden = await orders.send(method, `/api/orders/${placed.id}${path}`, { token: stranger });
      assert.equal(hidden.status, 404);
      assert.equal(hidden.body.detail, unknown.body.detail);
    }
    assert.equal((await orders.send('GET', `/api/orders/user/${placed.userId}`, { token: stranger })).status, 404);
    assert.equal(
      (await orders.send('GET', `/api/orders/user/${placed.userId}`, { token: admin() })).body.items.length,
      1,
    );
    assert.equal((await orders.send('GET', `/api/orders/${placed.id}`)).status, 401);
  });

  it('pages through a list without skipping or repeating', async () => {
    const token = orders.token(user());
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.unshift((await place(token)).body.id);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await orders.send('GET', `/api/orders?limit=2${cursor ? `&cursor=${cursor}` : ''}`, { token });
      seen.push(...page.body.items.map((order: { id: string }) => order.id));
      cursor = page.body.nextCursor;
    } while (cursor);
    assert.deepEqual(seen, ids);
    assert.equal((await orders.send('GET', '/api/orders?cursor=rubbish', { token })).body.code, 'invalid_cursor');
    assert.equal((await orders.send('GET', '/api/orders?status=shipped', { token })).body.items.length, 0);
  });

  it('uses an address of the address book', async () => {
    const { id } = user();
    const token = orders.token({ id });
    world.addresses.set(`${id}/home`, { id: 'home', ...address });
    const { shippingAddress: _, ...rest } = body();
    const placed = await place(token, { ...rest, addressId: 'home' });
    assert.deepEqual(placed.body.shippingAddress, address);
    assert.equal((await place(token, { ...rest, addressId: 'gone' })).body.code, 'unknown_address');
    assert.equal((await place(token, { ...body(), addressId: 'home' })).status, 400);
    assert.equal((await place(token, rest)).status, 400);
  });

  it('names every wrong field', async () => {
    const token = orders.token(user());
    const wrong: [unknown, string][] = [
      [{ ...body(), price: 1 }, 'price'],
      [{ ...body(), items: [] }, 'items'],
      [{ ...body(), items: [{ productId: 'mug', quantity: 0 }] }, 'items.0.quantity'],
      [{ ...body(), items: [{ productId: 'mug', quantity: 1.5 }] }, 'items.0.quantity'],
      [{ ...body(), items: [{ productId: 'mug', quantity: 1, price: 1 }] }, 'items.0'],
      [{ ...body(), items: [{ productId: { $gt: '' }, quantity: 1 }] }, 'items.0.productId'],
      [{ ...body(), items: [...body().items, ...body().items] }, 'items'],
      [{ ...body(), shippingAddress: { ...address, country: 'UK!' } }, 'shippingAddress.country'],
      [{ ...body(), shippingAddress: { ...address, country: 'ZZ' } }, 'shippingAddress.country'],
    ];
    for (const [request, path] of wrong) {
      const refused = await place(token, request);
      assert.equal(refused.status, 400, path);
      assert.ok(
        refused.body.errors.some((error: { path: string }) => error.path.startsWith(path) || path === 'price'),
        JSON.stringify(refused.body),
      );
    }
    assert.equal((await place(token, '{"items":')).body.code, 'malformed_json');
    assert.equal((await place(token, JSON.stringify({ ...body(), note: 'x'.repeat(100_001) }))).status, 413);
    assert.equal((await orders.send('PUT', '/api/orders', { token })).status, 405);
  });

  it('frees nothing on a dependency that is down: the same key goes on with the same order', async () => {
    const token = orders.token(user());
    const key = randomUUID();
    world.spoil('lookup', 'error');
    assert.equal((await place(token, body(), key)).status, 503);
    assert.equal((await place(token, body(), key)).status, 201);
  });
});
