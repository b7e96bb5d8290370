import assert from 'node:assert/strict';
import type { TestAnswer } from '@tradepost/local/testing';
import { startTestShop } from './testShop.ts';

/** A shop in which a customer has an order, and another one and an administrator are there, for tests of errors. */
export async function startErrorShop() {
  const shop = await startTestShop();
  const [ada, bob, admin] = [await shop.register(), await shop.register(), await shop.adminToken()];
  const productId: string = (await shop.productBySku('STA-NOTE')).id;
  const { body: order } = await shop.order(ada.token, [{ productId, quantity: 1 }]);
  return {
    ...{ shop, ada, bob, admin, productId, orderId: order.id as string, paymentId: order.payment.id as string },
    post: (path: string, body: unknown, token?: string, headers: Record<string, string> = {}) =>
      shop.send('POST', path, { body, ...(token ? { token } : {}), headers }),
    /** Fails on an error that was our own fault. */
    assertNoneWasOurs: () =>
      assert.deepEqual(
        shop.log.filter(line => line.includes('internal_error')),
        [],
      ),
  };
}

/** Every error is a problem of RFC 9457 with the members that each has. */
export function assertProblem(answer: TestAnswer, status: number, code: string): void {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  assert.equal(answer.body.code, code);
  assert.equal(answer.body.status, status);
  assert.equal(answer.body.requestId, answer.headers.get('x-request-id'));
  for (const member of ['type', 'title', 'detail', 'instance']) assert.equal(typeof answer.body[member], 'string');
  assert.ok(answer.headers.get('x-content-type-options'), 'security headers are there');
  if (status === 401) assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/);
}
