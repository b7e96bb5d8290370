import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { send } from '../api/send.ts';
import { startChildShop, temporaryFolder } from './childShop.ts';
import { address, eventually } from './testShop.ts';

const limits = { AUTH_RATE_LIMIT: '1000000', RATE_LIMIT_PER_MINUTE: '1000000' };
const sku = 'GAR-SEEDS';
const buyers = 4;
const kills = 2;

test('kill -9 loses no order that was acknowledged, and leaves none half done', async () => {
  const settings = { DATA_DIR: temporaryFolder(), ...limits };
  let shop = startChildShop(settings);
  let url = await shop.ready();
  const password = 'a long enough password';
  const { accessToken: token } = (
    await send(url, 'POST', '/api/users/register', { body: { email: 'ada@example.com', password, name: 'Ada' } })
  ).body;
  const productId = (await send(url, 'GET', `/api/products?sku=${sku}`)).body.items[0].id;
  const stock = async () => (await send(url, 'GET', `/api/inventory/${productId}`)).body;
  const opening = (await stock()).onHand;

  /** Orders by key, as they were acknowledged; undefined while their outcome is not known. */
  const placed = new Map<string, { id: string; status: string } | undefined>();
  async function place(key: string): Promise<void> {
    const answer = await send(url, 'POST', '/api/orders', {
      token,
      headers: { 'Idempotency-Key': key },
      body: { items: [{ productId, quantity: 1 }], shippingAddress: address, payment: { token: 'tok_visa' } },
    });
    if (answer.status < 300) placed.set(key, answer.body);
  }
  async function buy(buyer: number, round: number, until: AbortSignal): Promise<void> {
    for (let index = 0; !until.aborted; index += 1) {
      const key = `${buyer}-${round}-${index}`;
      placed.set(key, undefined);
      // Cut off by the kill: the outcome stays unknown.
      await place(key).catch(() => {});
    }
  }

  for (let round = 0; round < kills; round += 1) {
    const enough = new AbortController();
    const buying = Array.from({ length: buyers }, (_, buyer) => buy(buyer, round, enough.signal));
    await eventually(
      async () => acknowledged().length,
      count => count >= (round + 1) * 5,
      60_000,
    );
    await sleep(round * 37);
    shop.process.kill('SIGKILL');
    assert.equal(await shop.ended, 'SIGKILL');
    enough.abort();
    await Promise.all(buying);
    shop = startChildShop(settings);
    url = await shop.ready();
  }

  function acknowledged(): { id: string; status: string }[] {
    return [...placed.values()].filter(order => order !== undefined);
  }
  for (const { id, status } of acknowledged()) {
    const order = await eventually(
      async () => send(url, 'GET', `/api/orders/${id}`, { token }),
      answer => answer.status === 200 && answer.body.status !== 'pending',
      30_000,
    );
    if (status !== 'pending') assert.equal(order.body.status, status);
  }

  // The same key goes on with what was begun, so that every order has an end and none comes twice.
  const unknown = [...placed].filter(([, order]) => order === undefined).map(([key]) => key);
  for (const key of unknown) {
    await eventually(
      async () => {
        await place(key);
        return placed.get(key);
      },
      order => order !== undefined,
      30_000,
    );
  }
  const ids = new Set(acknowledged().map(order => order.id));
  assert.equal(ids.size, placed.size);
  const level = await eventually(stock, one => one.reserved === 0, 30_000);
  assert.equal(level.onHand, opening - placed.size);
  for (const id of ids) {
    const { body } = await send(url, 'GET', `/api/orders/${id}`, { token });
    assert.equal(body.status, 'confirmed');
    const payments = await send(url, 'GET', `/api/payments?orderId=${id}`, { token });
    assert.deepEqual(
      payments.body.items.map((payment: { status: string }) => payment.status),
      ['captured'],
    );
  }
  shop.process.kill('SIGTERM');
  assert.equal(await shop.ended, 0);
});
