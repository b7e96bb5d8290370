import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TestAnswer } from '@tradepost/local/testing';
import { eventually, startTestShop } from './testShop.ts';

const shop = await startTestShop();
const admin = await shop.adminToken();

describe('a good order', () => {
  test('is confirmed, paid and taken from stock', async () => {
    const ada = await shop.register();
    const [mug, twine] = [await shop.productBySku('KIT-MUG'), await shop.productBySku('GAR-TWINE')];
    const [mugs, twines] = [await shop.stockOf(mug.id), await shop.stockOf(twine.id)];
    const answer = await shop.order(ada.token, [
      { productId: mug.id, quantity: 3 },
      { productId: twine.id, quantity: 1 },
    ]);
    assert.equal(answer.status, 201);
    const order = answer.body;
    assert.equal(answer.headers.get('location'), `/api/orders/${order.id}`);
    assert.partialDeepStrictEqual(order, {
      userId: ada.id,
      status: 'confirmed',
      items: [
        {
          productId: mug.id,
          sku: 'KIT-MUG',
          name: 'Everyday mug',
          quantity: 3,
          unitPrice: { amount: 950, currency: 'GBP' },
          lineTotal: { amount: 2850, currency: 'GBP' },
        },
        { productId: twine.id, quantity: 1, lineTotal: { amount: 480, currency: 'GBP' } },
      ],
      total: { amount: 3330, currency: 'GBP' },
      shippingAddress: { line1: '12 Mill Lane' },
      payment: { status: 'captured' },
    });
    const level = await eventually(
      () => shop.stockOf(mug.id),
      stock => stock.reserved === 0,
    );
    assert.equal(level.onHand, mugs.onHand - 3);
    assert.equal((await shop.stockOf(twine.id)).available, twines.available - 1);

    assert.deepEqual((await shop.send('GET', `/api/orders/${order.id}`, { token: ada.token })).body, order);
    const events = await shop.send('GET', `/api/orders/${order.id}/events`, { token: ada.token });
    assert.deepEqual(
      events.body.items.map((event: { version: number; type: string }) => [event.version, event.type]),
      [
        [1, 'OrderCreated'],
        [2, 'StockReserved'],
        [3, 'PaymentCaptured'],
        [4, 'OrderConfirmed'],
      ],
    );
    const payments = await shop.send('GET', `/api/payments?orderId=${order.id}`, { token: ada.token });
    assert.partialDeepStrictEqual(payments.body.items, [
      { id: order.payment.id, status: 'captured', amount: { amount: 3330, currency: 'GBP' }, provider: 'simulated' },
    ]);
    const own = await shop.send('GET', '/api/orders?status=confirmed', { token: ada.token });
    assert.deepEqual(
      own.body.items.map((one: { id: string }) => one.id),
      [order.id],
    );
    const dashboard = await shop.send('GET', '/api/dashboard', { token: ada.token });
    assert.deepEqual(dashboard.body.degraded, []);
    assert.equal(dashboard.body.user.id, ada.id);
  });
});

describe('an order whose provider is in trouble', { concurrency: true }, () => {
  for (const token of ['tok_flaky', 'tok_slow', 'tok_timeout']) {
    test(`ends confirmed and charged once: ${token}`, async () => {
      const ada = await shop.register();
      const cards = await shop.productBySku('STA-CARDS');
      const answer = await shop.order(ada.token, [{ productId: cards.id, quantity: 1 }], { payment: token });
      assert.ok(answer.status === 201 || answer.status === 202, `status ${answer.status}`);
      const order = await eventually(
        async () => (await shop.send('GET', `/api/orders/${answer.body.id}`, { token: ada.token })).body,
        one => one.status !== 'pending',
        40_000,
      );
      assert.equal(order.status, 'confirmed');
      const payments = await shop.send('GET', `/api/payments?orderId=${order.id}`, { token: ada.token });
      assert.equal(payments.body.items.length, 1);
      assert.equal(payments.body.items[0].status, 'captured');
    });
  }
});

describe('an order that cannot be', () => {
  const refused = async (quantity: number, payment: string) => {
    const ada = await shop.register();
    const product = await shop.productBySku('LIG-DESK');
    const before = await shop.stockOf(product.id);
    const answer = await shop.order(ada.token, [{ productId: product.id, quantity }], { payment });
    return { ada, product, before, answer };
  };

  for (const [payment, reason] of [
    ['tok_declined', 'card_declined'],
    ['tok_insufficient_funds', undefined],
    ['4242424242424242', 'invalid_token'],
  ] as const) {
    test(`because ${payment} is declined: 402, and the stock goes back`, async () => {
      const { ada, product, before, answer } = await refused(2, payment);
      assert.equal(answer.status, 402);
      assert.equal(answer.body.code, 'payment_declined');
      if (reason) assert.equal(answer.body.reason, reason);
      const order = await shop.send('GET', `/api/orders/${answer.body.orderId}`, { token: ada.token });
      assert.equal(order.body.status, 'cancelled');
      const level = await eventually(
        () => shop.stockOf(product.id),
        stock => stock.available === before.available,
      );
      assert.equal(level.onHand, before.onHand);
    });
  }

  test('because there is not enough: 409 with what is short, and nothing is charged', async () => {
    const { ada, product, before, answer } = await refused(10_000, 'tok_visa');
    assert.equal(answer.status, 409);
    assert.equal(answer.body.code, 'insufficient_stock');
    assert.deepEqual(answer.body.shortages, [
      { productId: product.id, requested: 10_000, available: before.available },
    ]);
    const payments = await shop.send('GET', `/api/payments?orderId=${answer.body.orderId}`, { token: ada.token });
    assert.deepEqual(payments.body.items, []);
    assert.equal((await shop.stockOf(product.id)).available, before.available);
  });

  test('because one of two products is short: the other one is given back', async () => {
    const ada = await shop.register();
    const [kite, socks] = [await shop.productBySku('TOY-KITE'), await shop.productBySku('TEX-SOCKS')];
    const before = await shop.stockOf(kite.id);
    const answer = await shop.order(ada.token, [
      { productId: kite.id, quantity: 2 },
      { productId: socks.id, quantity: 1 },
    ]);
    assert.equal(answer.status, 409);
    assert.deepEqual(answer.body.shortages, [{ productId: socks.id, requested: 1, available: 0 }]);
    await eventually(
      () => shop.stockOf(kite.id),
      stock => stock.available === before.available,
    );
  });

  test('because a product is unknown: 422', async () => {
    const ada = await shop.register();
    const answer = await shop.order(ada.token, [{ productId: 'nothing', quantity: 1 }]);
    assert.equal(answer.status, 422);
    assert.equal(answer.body.code, 'unknown_product');
  });

  test('fifty buyers on the last three pieces: three get one', async () => {
    const top = await shop.productBySku('TOY-TOP');
    const ada = await shop.register();
    // On a slow machine some are told to ask again, and the same key goes on with the same order.
    const buy = async (key: string): Promise<TestAnswer> => {
      const answer = await shop.order(ada.token, [{ productId: top.id, quantity: 1 }], { key });
      const isDecided = answer.status === 201 || answer.body.code === 'insufficient_stock';
      return isDecided ? answer : buy(key);
    };
    const answers = await Promise.all(Array.from({ length: 50 }, (_, buyer) => buy(`last-piece-${buyer}`)));
    assert.equal(answers.filter(answer => answer.status === 201).length, 3);
    assert.equal(answers.filter(answer => answer.body.code === 'insufficient_stock').length, 47);
    const level = await eventually(
      () => shop.stockOf(top.id),
      stock => stock.reserved === 0,
    );
    assert.equal(level.onHand, 0);
  });
});

describe('the idempotency key', () => {
  test('leads to the same order, however often and at the same time', async () => {
    const ada = await shop.register();
    const pencils = await shop.productBySku('STA-PENCIL');
    const before = await shop.stockOf(pencils.id);
    const place = () => shop.order(ada.token, [{ productId: pencils.id, quantity: 2 }], { key: 'again' });
    const first = await place();
    assert.deepEqual((await place()).body, first.body);
    const burst = await Promise.all(
      Array.from({ length: 10 }, () =>
        shop.order(ada.token, [{ productId: pencils.id, quantity: 1 }], { key: 'burst' }),
      ),
    );
    const made = new Set(burst.filter(answer => answer.status < 300).map(answer => answer.body.id));
    assert.equal(made.size, 1);
    for (const answer of burst) assert.ok(answer.status < 300 || answer.body.code === 'request_in_progress');
    const level = await eventually(
      () => shop.stockOf(pencils.id),
      stock => stock.reserved === 0,
    );
    assert.equal(level.onHand, before.onHand - 3);
  });

  test('also repeats a refusal, is nobody else’s, and refuses another body', async () => {
    const [ada, bob] = [await shop.register(), await shop.register()];
    const ink = await shop.productBySku('STA-INK');
    const items = [{ productId: ink.id, quantity: 1 }];
    const declined = await shop.order(ada.token, items, { key: 'one', payment: 'tok_declined' });
    const again = await shop.order(ada.token, items, { key: 'one', payment: 'tok_declined' });
    assert.equal(again.status, 402);
    assert.equal(again.body.orderId, declined.body.orderId);
    const changed = await shop.order(ada.token, items, { key: 'one', payment: 'tok_visa' });
    assert.equal(changed.status, 422);
    assert.equal(changed.body.code, 'idempotency_key_reused');
    assert.equal((await shop.order(bob.token, items, { key: 'one' })).status, 201);
  });

  test('is required and visible ASCII', async () => {
    const ada = await shop.register();
    const ink = await shop.productBySku('STA-INK');
    for (const headers of [{}, { 'Idempotency-Key': 'a b' }, { 'Idempotency-Key': 'x'.repeat(129) }]) {
      const answer = await shop.send('POST', '/api/orders', {
        token: ada.token,
        headers: headers as Record<string, string>,
        body: { items: [{ productId: ink.id, quantity: 1 }], addressId: 'x', payment: { token: 'tok_visa' } },
      });
      assert.equal(answer.status, 400);
      assert.equal(answer.body.code, 'idempotency_key_required');
    }
  });
});

describe('after the order', () => {
  async function bought() {
    const ada = await shop.register();
    const seeds = await shop.productBySku('GAR-SEEDS');
    const before = await shop.stockOf(seeds.id);
    const order = (await shop.order(ada.token, [{ productId: seeds.id, quantity: 5 }])).body;
    const act = (action: string, body?: unknown, token = admin, headers = {}) =>
      shop.send('POST', `/api/orders/${order.id}/${action}`, { token, body, headers });
    const payment = async () =>
      (await shop.send('GET', `/api/payments?orderId=${order.id}`, { token: ada.token })).body.items[0];
    return { ada, seeds, before, order, act, payment };
  }

  test('a cancel returns stock and money, and may be repeated', async () => {
    const { ada, seeds, before, act, payment } = await bought();
    const cancelled = await act('cancel', { reason: 'changed my mind' }, ada.token);
    assert.equal(cancelled.status, 200);
    assert.equal(cancelled.body.status, 'cancelled');
    assert.equal(cancelled.body.cancellation.reason, 'changed my mind');
    await eventually(
      () => shop.stockOf(seeds.id),
      stock => stock.available === before.available && stock.onHand === before.onHand,
    );
    await eventually(payment, one => one.status === 'refunded' && one.refunded.amount === one.amount.amount);
    const again = await act('cancel', {}, ada.token);
    assert.equal(again.status, 200);
    assert.equal((await payment()).refunded.amount, 5 * 390);
    assert.equal((await act('ship', { carrier: 'Post', trackingNumber: '1' })).body.code, 'invalid_transition');
  });

  test('it is shipped, delivered and refunded in parts, never more than was paid', async () => {
    const { ada, act, payment } = await bought();
    assert.equal((await act('deliver')).body.code, 'invalid_transition');
    const shipped = await act('ship', { carrier: 'Post', trackingNumber: 'RN1' });
    assert.equal(shipped.body.status, 'shipped');
    assert.partialDeepStrictEqual(shipped.body.shipment, { carrier: 'Post', trackingNumber: 'RN1' });
    assert.equal((await act('cancel', {}, ada.token)).body.code, 'invalid_transition');
    assert.equal((await act('deliver')).body.status, 'delivered');
    const refund = (amount: number | undefined, key: string) =>
      act('refund', { ...(amount ? { amount } : {}), reason: 'torn' }, admin, { 'Idempotency-Key': key });
    assert.equal((await refund(500, 'first')).status, 200);
    assert.equal((await refund(500, 'first')).status, 200);
    assert.equal((await payment()).refunded.amount, 500);
    assert.equal((await payment()).status, 'partially_refunded');
    assert.equal((await refund(5 * 390, 'second')).body.code, 'refund_exceeds_capture');
    assert.equal((await refund(undefined, 'third')).status, 200);
    assert.equal((await payment()).status, 'refunded');
    assert.equal((await refund(1, 'fourth')).body.code, 'refund_exceeds_capture');
  });
});

test('nothing of all this was our own fault', () => {
  assert.deepEqual(
    shop.log.filter(line => line.includes('internal_error')),
    [],
  );
});
