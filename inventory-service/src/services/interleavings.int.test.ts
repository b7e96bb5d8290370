import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAppError } from '@tradepost/shared/errors';
import { type Instance, startInstances } from './instances.testing.ts';

/**
 * Two instances of the service meet at the worst moments. The letters are those of the order protocol's list of what
 * breaks when one of its rules is left out.
 */
describe('interleavings', () => {
  let shop: Awaited<ReturnType<typeof startInstances>>;
  let one: Instance;
  let other: Instance;
  let products = 0;
  let p: string;

  before(async () => {
    shop = await startInstances(2);
    [one, other] = shop.instances as [Instance, Instance];
  });
  after(() => shop.close());
  afterEach(async () => {
    shop.pass(60_000);
    await one.sweepHolds();
    await one.drainAll();
    for (const product of (await other.audit.products({ after: undefined, limit: 100 })).items) {
      assert.deepEqual(product.discrepancies, [], product.productId);
    }
  });

  const nameOf = (index: number) => `p${String(index).padStart(3, '0')}`;

  /** A fresh product with ten pieces. */
  async function open(): Promise<void> {
    products += 1;
    p = nameOf(products);
    await one.openStock(p, 10);
  }

  async function reserve(instance: Instance, orderId: string): Promise<string> {
    const { holds } = await instance.reserveStock({ orderId, items: [{ productId: p, quantity: 2 }] });
    return holds[0]?.holdId as string;
  }
  const named = (holdId: string) => [{ productId: p, holdId }];

  async function sell(instance: Instance, orderId: string): Promise<string> {
    const holdId = await reserve(instance, orderId);
    await instance.settleHolds.pin(orderId, named(holdId));
    await instance.settleHolds.commit(orderId, named(holdId));
    return holdId;
  }

  async function level(): Promise<[onHand: number, reserved: number]> {
    const { onHand, reserved } = await one.readStock.one(p);
    return [onHand, reserved];
  }

  const isGone = (error: unknown) => isAppError(error, 'hold_gone');
  const typesOf = async () => (await one.readStock.movements(p, { before: undefined, limit: 100 })).map(m => m.type);

  it('C: a late reserve and a late pin after the sale leave nothing behind', async () => {
    await open();
    const sold = await sell(one, 'c1');
    const late = await reserve(other, 'c1');
    assert.notEqual(late, sold);
    await assert.rejects(other.settleHolds.pin('c1', named(sold)), isGone);
    assert.deepEqual(await level(), [8, 2]);
    shop.pass(60_000);
    await other.sweepHolds();
    assert.deepEqual(await level(), [8, 0]);
    await one.settleHolds.commit('c1', named(sold));
    assert.deepEqual(await level(), [8, 0]);
  });

  it('C: a reserve that decided before another of its order has written answers the other hold', async () => {
    await open();
    const pause = other.pauseAt('inventory.reserve.beforeWrite');
    const second = reserve(other, 'c2');
    await pause.reached;
    const first = await reserve(one, 'c2');
    pause.resume();
    assert.equal(await second, first);
    assert.deepEqual(await level(), [10, 2]);
  });

  it('D: a release gives back the sold piece and the hold of a late reserve', async () => {
    await open();
    await sell(one, 'd1');
    await reserve(other, 'd1');
    await one.drainAll();
    await other.settleHolds.release('d1', [p]);
    assert.deepEqual(await level(), [10, 0]);
    assert.deepEqual((await typesOf()).slice(0, 2).sort(), ['release', 'return']);
  });

  it('I: two releases read, one returns, the drain empties the movements, the other returns nothing', async () => {
    await open();
    await sell(one, 'i1');
    await one.drainAll();
    const pause = other.pauseAt('inventory.release.beforeWrite');
    const second = other.settleHolds.release('i1', [p]);
    await pause.reached;
    await one.settleHolds.release('i1', [p]);
    await one.drainAll();
    pause.resume();
    await second;
    assert.deepEqual(await level(), [10, 0]);
    assert.equal((await typesOf()).filter(type => type === 'return').length, 1);
  });

  it('I: a sale that is drained between the two reads of a release comes back, once', async () => {
    await open();
    await sell(one, 'i2');
    const pause = other.pauseAt('inventory.history.beforeLedger');
    const released = other.settleHolds.release('i2', [p]);
    await pause.reached;
    await one.drainAll();
    pause.resume();
    await released;
    await one.settleHolds.release('i2', [p]);
    assert.deepEqual(await level(), [10, 0]);
  });

  it('I: a sale that is in the document and in the ledger comes back once', async () => {
    await open();
    await sell(one, 'i3');
    one.dieAt('inventory.drain.afterLedger');
    await assert.rejects(one.drain(p), /died/);
    await other.settleHolds.release('i3', [p]);
    await other.settleHolds.release('i3', [p]);
    assert.deepEqual(await level(), [10, 0]);
  });

  it('J: an audit that is overtaken by changes and drains raises no alarm', async () => {
    await open();
    await sell(one, 'j1');
    const pause = other.pauseAt('inventory.audit.beforeLedger');
    // Of all products only this one, so that it is its audit that waits.
    const audited = other.audit.products({ after: nameOf(products - 1), limit: 1 });
    await pause.reached;
    await sell(one, 'j2');
    await one.settleHolds.release('j1', [p]);
    await one.drainAll();
    pause.resume();
    const [{ productId, seq, discrepancies } = {}] = (await audited).items;
    assert.deepEqual([productId, seq, discrepancies], [p, 3, []]);
  });

  it('a pin that comes before the expiry keeps the hold', async () => {
    await open();
    const holdId = await reserve(one, 'e1');
    shop.pass(60_000);
    const pause = other.pauseAt('inventory.expire.beforeWrite');
    const swept = other.sweepHolds();
    await pause.reached;
    await one.settleHolds.pin('e1', named(holdId));
    pause.resume();
    await swept;
    await one.settleHolds.commit('e1', named(holdId));
    assert.deepEqual(await level(), [8, 0]);
  });

  it('an expiry that comes before the pin makes the pin fail', async () => {
    await open();
    const holdId = await reserve(one, 'e2');
    shop.pass(60_000);
    const pause = other.pauseAt('inventory.pin.beforeWrite');
    const pinned = assert.rejects(other.settleHolds.pin('e2', named(holdId)), isGone);
    await pause.reached;
    await one.sweepHolds();
    pause.resume();
    await pinned;
    await assert.rejects(one.settleHolds.commit('e2', named(holdId)), isGone);
    assert.deepEqual(await level(), [10, 0]);
  });

  it('of pin and expiry at once exactly one wins', async () => {
    await open();
    let kept = 0;
    for (let round = 0; round < 60; round += 1) {
      const orderId = `race${round}`;
      const holdId = await reserve(one, orderId);
      shop.pass(60_000);
      const [swept, pinned] = await Promise.allSettled([
        one.sweepHolds(),
        sleep(round % 6).then(() => other.settleHolds.pin(orderId, named(holdId))),
      ]);
      assert.equal(swept.status, 'fulfilled');
      assert.deepEqual(await level(), [10, pinned.status === 'fulfilled' ? 2 : 0]);
      if (pinned.status === 'fulfilled') kept += 1;
      await other.settleHolds.release(orderId, [p]);
      assert.deepEqual(await level(), [10, 0]);
    }
    console.log(`the pin won ${kept} of 60 races`);
  });

  it('a drain that ends between its writes is taken up by another instance', async () => {
    await open();
    await sell(one, 'k1');
    for (const point of ['beforeLedger', 'afterLedger', 'afterPull']) {
      await sell(one, `k-${point}`);
      one.dieAt(`inventory.drain.${point}`);
      await assert.rejects(one.drain(p), /died/);
      await other.drain(p);
    }
    const { seq } = (await one.stocks.findById(p).lean()) ?? { seq: 0 };
    assert.equal(await one.ledger.countDocuments({ productId: p }), seq);
    assert.deepEqual((await one.stocks.findById(p).lean())?.movements, []);
  });

  it('a call that died after or before any write is done by repeating it', async () => {
    await open();
    const orders = ['reserve', 'pin', 'commit', 'release'].flatMap(name => [
      `${name}.beforeWrite`,
      `${name}.afterWrite`,
    ]);
    for (const point of orders) {
      const orderId = `l-${point}`;
      let holdId = '';
      const steps = [
        async (instance: Instance) => {
          holdId = await reserve(instance, orderId);
        },
        (instance: Instance) => instance.settleHolds.pin(orderId, named(holdId)),
        (instance: Instance) => instance.settleHolds.commit(orderId, named(holdId)),
        (instance: Instance) => instance.settleHolds.release(orderId, [p]),
      ];
      let deaths = 0;
      one.dieAt(`inventory.${point}`);
      for (const step of steps) {
        await step(one).catch((error: Error) => {
          assert.match(error.message, /died/);
          deaths += 1;
        });
        await step(other);
      }
      assert.equal(deaths, 1, point);
      assert.deepEqual(await level(), [10, 0], point);
    }
  });

  it('stock is opened once, however often and by whomever', async () => {
    await open();
    one.dieAt('inventory.open.afterWrite');
    await assert.rejects(one.openStock('opened', 5), /died/);
    await Promise.all([one, other, one, other].map(instance => instance.openStock('opened', 5)));
    p = 'opened';
    assert.deepEqual(await level(), [5, 0]);
    assert.deepEqual(await typesOf(), ['open']);
  });

  it('drains a document before it gets too large', async () => {
    await open();
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(
        Array.from({ length: 800 }, (_, index) =>
          one.adjustStock(p, { adjustBy: index % 2 ? 1 : 2, reason: `count ${round}` }),
        ),
      );
    }
    const document = await one.stocks.findById(p).lean();
    assert.equal(document?.seq, 2_401);
    assert.ok((document?.movements.length ?? 0) < 2_401);
    assert.equal((await level())[0], 10 + 3 * 400 * 3);
  });
});
