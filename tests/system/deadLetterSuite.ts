import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { send, TestAnswer } from '@tradepost/local/testing';
import { orderCancelled } from '@tradepost/shared/events/orders';
import { newId } from '@tradepost/shared/ids';
import { createMessage, type Message } from '@tradepost/shared/messaging/message';

/** A shop as an operator sees it. */
export interface OperatedShop {
  send(method: string, path: string, options?: Parameters<typeof send>[3]): Promise<TestAnswer>;
  adminToken: string;
  customerToken: string;
  /** Puts a message on the shop's bus, past its producers. */
  publish(message: Message): Promise<void>;
  /** Waits until it is so. */
  until(look: () => Promise<boolean>): Promise<void>;
}

const path = '/api/operations/dead-letters';
const queues = ['inventory-service.order.cancelled', 'payment-service.order.cancelled'];

const message = (orderId: string, changes: Partial<Message>): Message => ({
  ...createMessage(orderCancelled, {
    ...{ id: newId(), source: 'order-service', subject: orderId, at: new Date() },
    data: { orderId, userId: 'u', version: 1, productIds: ['p'], reason: 'test' },
  }),
  ...changes,
});

/** What the operator can do with messages that no service could handle, whichever bus carries them. */
export async function deadLetterSuite(shop: OperatedShop): Promise<void> {
  const { send, adminToken: token } = shop;
  const list = async (query = '') => (await send('GET', `${path}${query}`, { token })).body;
  const [first, second] = [
    message(randomUUID(), { schemaversion: 0 }),
    message(randomUUID(), { data: { orderId: 7 } }),
  ];

  for (const bad of [first, second]) await shop.publish(bad);
  await shop.until(async () => (await list()).items.length === 4);
  const { items, nextCursor } = await list();
  assert.equal(nextCursor, null);
  assert.deepEqual(items.map((one: { queue: string }) => one.queue).sort(), [...queues, ...queues].sort());
  const [ofPayments] = queues.slice(1);
  const own = (await list(`?queue=${ofPayments}`)).items;
  assert.equal(own.length, 2);
  const letter = own.find((one: { message: Message }) => one.message.id === first.id);
  assert.deepEqual(letter.message, JSON.parse(JSON.stringify(first)));
  assert.match(letter.error, /schemaversion/);
  assert.equal(letter.attempts, 1);

  // Page by page the same, each once.
  const paged: { id: string }[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = await list(`?limit=1${cursor ? `&cursor=${cursor}` : ''}`);
    paged.push(...page.items);
    cursor = page.nextCursor;
  }
  assert.deepEqual(paged, items);

  // What is put back and fails again is a letter again, under another id.
  const replay = (id: string, as = token) => send('POST', `${path}/${id}/replay`, { token: as });
  const replayed = await replay(letter.id);
  assert.deepEqual([replayed.status, replayed.body], [202, { id: letter.id, status: 'replayed' }]);
  await shop.until(async () => {
    const now = (await list(`?queue=${ofPayments}`)).items as { id: string; message: Message }[];
    return now.length === 2 && now.every(one => one.id !== letter.id) && now.some(one => one.message.id === first.id);
  });
  assert.equal((await replay(letter.id)).status, 404);

  assert.equal((await send('GET', `${path}?cursor=x`, { token })).body.code, 'invalid_cursor');
  assert.equal((await replay('nothing')).status, 404);
  for (const [as, status] of [
    [undefined, 401],
    [shop.customerToken, 403],
  ] as const) {
    const options = as ? { token: as } : {};
    assert.equal((await send('GET', path, options)).status, status);
    assert.equal((await send('POST', `${path}/${letter.id}/replay`, options)).status, status);
  }
}
