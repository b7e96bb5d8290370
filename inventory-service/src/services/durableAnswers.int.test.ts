import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Instance, startInstances } from './instances.testing.ts';

/** Rule L of the order protocol: what another process wrote may be forgotten by a killed server until one's own journaled write. */
describe('what was read', () => {
  let shop: Awaited<ReturnType<typeof startInstances>>;
  let one: Instance;
  let other: Instance;

  before(async () => {
    shop = await startInstances(2);
    [one, other] = shop.instances as [Instance, Instance];
    await one.openStock('p', 10);
  });
  after(() => shop.close());

  const revision = async () => (await one.stocks.findById('p').lean())?.revision;
  const items = [{ productId: 'p', quantity: 2 }];
  const refused = (call: Promise<unknown>) => assert.rejects(call, { name: 'AppError', status: 409 });

  it('is answered from after a write that matched it', async () => {
    const { holds } = await one.reserveStock({ orderId: 'o1', items });
    const [{ holdId } = { holdId: '' }] = holds;
    const named = [{ productId: 'p', holdId }];
    const wrong = [{ productId: 'p', holdId: 'another' }];
    await one.settleHolds.pin('o1', named);
    const answers: [string, () => Promise<unknown>][] = [
      ['reserved before', () => other.reserveStock({ orderId: 'o1', items })],
      ['short', () => refused(other.reserveStock({ orderId: 'o2', items: [{ productId: 'p', quantity: 9 }] }))],
      ['pinned before', () => other.settleHolds.pin('o1', named)],
      ['pin gone', () => refused(other.settleHolds.pin('o1', wrong))],
      ['commit gone', () => refused(other.settleHolds.commit('o1', wrong))],
      ['sold', () => one.settleHolds.commit('o1', named)],
      ['sold before', () => other.settleHolds.commit('o1', named)],
      ['released', () => one.settleHolds.release('o1', ['p'])],
      ['released before', () => other.settleHolds.release('o1', ['p'])],
      ['reserve refused', () => refused(other.reserveStock({ orderId: 'o1', items }))],
      ['below reserved', () => refused(other.adjustStock('p', { adjustBy: -20, reason: 'lost' }))],
      ['opened before', () => other.openStock('p', 3)],
    ];
    for (const [name, call] of answers) {
      const before = await revision();
      await call();
      assert.notEqual(await revision(), before, name);
    }
  });

  it('is decided again when the document has changed meanwhile', async () => {
    const pause = other.pauseAt('inventory.reserve.beforeWrite');
    const answer = other.reserveStock({ orderId: 'o3', items: [{ productId: 'p', quantity: 11 }] });
    await pause.reached;
    await one.adjustStock('p', { onHand: 11 });
    pause.resume();
    assert.equal((await answer).made, true);
  });

  it('goes to the ledger after a write to its document', async () => {
    await one.adjustStock('p', { adjustBy: 1, reason: 'found' });
    const claims = async () => (await one.stocks.findById('p').lean())?.drainClaims ?? 0;
    const before = await claims();
    const pause = other.pauseAt('inventory.drain.beforeLedger');
    const drained = other.drain('p');
    await pause.reached;
    assert.ok((await claims()) > before);
    pause.resume();
    await drained;
    assert.deepEqual((await one.stocks.findById('p').lean())?.movements, []);
  });
});
