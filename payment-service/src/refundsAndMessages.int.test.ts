import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { orderCancelled } from '@tradepost/shared/events/orders';
import { createMessage } from '@tradepost/shared/messaging/message';
import { startPayments, until } from './paymentService.testing.ts';

const { service, points, internal, alice, charge, heardOf } = await startPayments();
after(() => service.close());

describe('cancel and refund', () => {
  test('cancel of nothing, of a charge, and again', async () => {
    const orderId = randomUUID();
    assert.deepEqual((await internal('POST', `/internal/charges/${randomUUID()}/cancel`)).body, {});
    const { body } = await charge(orderId);
    const expected = {
      paymentId: body.paymentId,
      refund: { refundId: `cancel:${orderId}`, amount: { amount: 1_299, currency: 'GBP' } },
    };
    for (let time = 0; time < 2; time += 1) {
      const answer = await internal('POST', `/internal/charges/${orderId}/cancel`);
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.body, expected);
    }
  });

  test('refunds, and what is too much', async () => {
    const orderId = randomUUID();
    await charge(orderId);
    const refund = (refundId: string, amount?: number) =>
      internal('POST', '/internal/refunds', { orderId, refundId, ...(amount ? { amount } : {}) });
    const first = await refund(`${orderId}-1`, 1_000);
    assert.equal(first.status, 200);
    assert.deepEqual(first.body.refundedTotal, { amount: 1_000, currency: 'GBP' });
    const tooMuch = await refund(`${orderId}-2`, 300);
    assert.equal(tooMuch.status, 409);
    assert.equal(tooMuch.body.code, 'refund_exceeds_capture');
    assert.equal(tooMuch.body.refundable, 299);
    assert.equal((await refund('cancel:x')).status, 400);
    assert.equal((await refund(`${orderId}-0`, -5)).status, 400);
  });
});

describe('messages', () => {
  test('captured, declined, refunded: one each', async () => {
    const [paid, declined] = [randomUUID(), randomUUID()];
    await charge(paid);
    await charge(paid);
    await charge(declined, 'tok_declined');
    await internal('POST', '/internal/refunds', { orderId: paid, refundId: `${paid}-1`, amount: 100 });
    await internal('POST', `/internal/charges/${paid}/cancel`);
    await internal('POST', `/internal/charges/${paid}/cancel`);
    await until(() => heardOf(paid).length >= 3 && heardOf(declined).length >= 1);
    assert.deepEqual(
      heardOf(paid).map(one => [one.type, (one.data as { refundedTotal?: { amount: number } }).refundedTotal?.amount]),
      [
        ['payment.captured', undefined],
        ['payment.refunded', 100],
        ['payment.refunded', 1_299],
      ],
    );
    assert.deepEqual(
      heardOf(declined).map(one => one.type),
      ['payment.declined'],
    );
    const waiting = { _id: paid, 'outbox.id': { $gt: '' } };
    await until(async () => !(await service.connection.models.Payment?.exists(waiting)));
  });

  test('order.cancelled, heard twice, turns the payment back once', async () => {
    const orderId = randomUUID();
    await charge(orderId);
    for (let time = 0; time < 2; time += 1) {
      await service.bus.publish(
        'orders',
        createMessage(orderCancelled, {
          ...{ id: randomUUID(), source: 'order-service', subject: orderId, at: new Date() },
          data: { orderId, userId: alice, version: 5, productIds: ['p'], reason: 'x' },
        }),
      );
    }
    await until(() => heardOf(orderId).some(one => one.type === 'payment.refunded'));
    const audit = await internal('GET', '/internal/audit/payments?limit=100');
    const row = audit.body.items.find((one: { orderId: string }) => one.orderId === orderId);
    assert.deepEqual(row.ours, { captured: 1_299, refunded: 1_299 });
    assert.equal((await charge(orderId)).body.code, 'charge_refused');
  });

  test('the bus fails while it publishes: said again, and only until it is taken', async () => {
    const orderId = randomUUID();
    points.kill('payment.publish.before');
    points.kill('payment.publish.after');
    await charge(orderId);
    await until(() => heardOf(orderId).length > 0);
    await until(
      async () => !(await service.connection.models.Payment?.exists({ _id: orderId, 'outbox.id': { $gt: '' } })),
    );
    assert.equal(new Set(heardOf(orderId).map(one => one.id)).size, 1);
  });
});
