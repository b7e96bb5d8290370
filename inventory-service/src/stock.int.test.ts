import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestInventory, until } from './inventory.testing.ts';

describe('stock over HTTP', () => {
  let shop: Awaited<ReturnType<typeof startTestInventory>>;
  const now = new Date('2026-11-22T12:00:00.000Z');

  before(async () => {
    shop = await startTestInventory({ clock: () => now });
  });
  after(() => shop.close());

  const level = async (productId: string) => {
    const { body } = await shop.send('GET', `/api/inventory/${productId}`);
    return [body.onHand, body.reserved, body.available];
  };

  const waitingMovements = async (productId: string) => {
    const found = await shop.connection.collection('stock').findOne({ _id: productId as never });
    return found?.movements.length;
  };

  it('shows the stock of a product that was announced, to anyone', async () => {
    await shop.open('shown', 12);
    const { status, body } = await shop.send('GET', '/api/inventory/shown');
    assert.equal(status, 200);
    const { updatedAt, ...rest } = body;
    assert.deepEqual(rest, { productId: 'shown', onHand: 12, reserved: 0, available: 12 });
    assert.equal(updatedAt, now.toISOString());
  });

  it('keeps the stock as it is when the announcement comes again', async () => {
    const stock = () => shop.connection.collection('stock').findOne({ _id: 'shown' as never });
    const before = await stock();
    await shop.open('shown', 99);
    await until(async () => (await stock())?.revision !== before?.revision);
    assert.deepEqual(await level('shown'), [12, 0, 12]);
  });

  it('answers 404 for an unknown product', async () => {
    const { status, body } = await shop.send('GET', '/api/inventory/nothing');
    assert.deepEqual([status, body.code], [404, 'not_found']);
  });

  it('lists several, in the order asked for, leaving out unknown ones', async () => {
    await shop.open('second', 3);
    const { status, body } = await shop.send('GET', '/api/inventory?productIds=second,nothing,shown,second');
    assert.equal(status, 200);
    assert.deepEqual(
      body.items.map((item: { productId: string }) => item.productId),
      ['second', 'shown'],
    );
    assert.equal(body.nextCursor, null);
  });

  it('refuses no ids, too many, and unknown parameters', async () => {
    const many = Array.from({ length: 101 }, (_, index) => `p${index}`).join(',');
    for (const query of ['', '?productIds=', `?productIds=${many}`, '?productIds=a&limit=3']) {
      const { status, body } = await shop.send('GET', `/api/inventory${query}`);
      assert.deepEqual([status, body.code], [400, 'invalid_request'], query);
    }
  });

  it('is counted anew or changed by an admin, never below what is reserved', async () => {
    await shop.open('counted', 10);
    const token = shop.admin();
    const patch = (body: unknown) => shop.send('PATCH', '/api/inventory/counted', { token, body });
    assert.equal((await patch({ onHand: 8 })).body.onHand, 8);
    assert.equal((await patch({ adjustBy: -2, reason: 'broken' })).body.available, 6);
    await shop.reserve('counted-1', [{ productId: 'counted', quantity: 4 }]);
    assert.equal((await patch({ onHand: 4 })).status, 200);
    const refused = await patch({ adjustBy: -1, reason: 'lost' });
    assert.deepEqual([refused.status, refused.body.code], [409, 'below_reserved']);
    assert.deepEqual([refused.body.onHand, refused.body.reserved], [4, 4]);
    assert.deepEqual(await level('counted'), [4, 4, 0]);
  });

  it('refuses what is no adjustment', async () => {
    const token = shop.admin();
    const bodies = [
      ...[{}, { onHand: -1 }, { onHand: 1.5 }, { onHand: '3' }, { onHand: 1_000_000_001 }, { adjustBy: 1 }],
      ...[
        { adjustBy: 1, reason: '' },
        { onHand: 1, adjustBy: 1, reason: 'x' },
        { onHand: 1, price: 2 },
      ],
    ];
    for (const body of bodies) {
      const { status, body: problem } = await shop.send('PATCH', '/api/inventory/counted', { token, body });
      assert.deepEqual([status, problem.code], [400, 'invalid_request'], JSON.stringify(body));
    }
    const tooMany = { adjustBy: 1_000_000_000, reason: 'x' };
    assert.equal((await shop.send('PATCH', '/api/inventory/counted', { token, body: tooMany })).status, 400);
    assert.equal((await shop.send('PATCH', '/api/inventory/nothing', { token, body: { onHand: 1 } })).status, 404);
  });

  it('lets only admins adjust and read movements, and only services reserve and audit', async () => {
    const customer = shop.token({ id: 'u1' });
    const token = customer;
    const body = { onHand: 1 };
    assert.equal((await shop.send('PATCH', '/api/inventory/shown', { body })).status, 401);
    assert.equal((await shop.send('PATCH', '/api/inventory/shown', { token, body })).status, 403);
    assert.equal((await shop.send('GET', '/api/inventory/shown/movements', { token })).status, 403);
    for (const other of [shop.admin(), customer]) {
      assert.equal((await shop.send('GET', '/internal/audit', { token: other })).status, 401);
      const request = { orderId: 'x', items: [{ productId: 'shown', quantity: 1 }] };
      const answer = await shop.send('POST', '/internal/reservations', { token: other, body: request });
      assert.equal(answer.status, 401);
    }
    assert.deepEqual(await level('shown'), [12, 0, 12]);
  });

  it('pages the movements, newest first, while they move to the ledger', async () => {
    await shop.open('paged', 100);
    const token = shop.admin();
    for (let adjustBy = 1; adjustBy <= 9; adjustBy += 1) {
      await shop.send('PATCH', '/api/inventory/paged', { token, body: { adjustBy, reason: `delivery ${adjustBy}` } });
    }
    const seen: { quantity: number; onHandAfter: number; type: string; reason?: string }[] = [];
    let cursor = '';
    do {
      const path = `/api/inventory/paged/movements?limit=4${cursor && `&cursor=${cursor}`}`;
      const { body } = await shop.send('GET', path, { token });
      assert.ok(body.items.length <= 4);
      seen.push(...body.items);
      cursor = body.nextCursor ?? '';
      if (seen.length === 4) await until(async () => (await waitingMovements('paged')) === 0);
    } while (cursor);
    assert.deepEqual(
      seen.map(({ quantity }) => quantity),
      [9, 8, 7, 6, 5, 4, 3, 2, 1, 100],
    );
    const { id, at, ...newest } = seen[0] as unknown as Record<string, unknown>;
    assert.match(String(id), /^adjust:/);
    assert.equal(at, now.toISOString());
    assert.deepEqual(newest, {
      ...{ type: 'adjust', quantity: 9, reason: 'delivery 9', onHandAfter: 145, reservedAfter: 0 },
    });
    const broken = await shop.send('GET', '/api/inventory/paged/movements?cursor=xyz', { token });
    assert.deepEqual([broken.status, broken.body.code], [400, 'invalid_cursor']);
    assert.equal((await shop.send('GET', '/api/inventory/nothing/movements', { token })).status, 404);
  });
});
