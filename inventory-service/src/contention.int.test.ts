import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TestAnswer } from '@tradepost/local/testing';
import { startTestInventory } from './inventory.testing.ts';

type Shop = Awaited<ReturnType<typeof startTestInventory>>;

describe('many buyers at once, on two instances', () => {
  let shop: Shop;
  let doors: Pick<Shop, 'reserve' | 'pin' | 'commit' | 'release'>[];

  before(async () => {
    shop = await startTestInventory();
    doors = [shop, await shop.addInstance()];
  });
  after(() => shop.close());

  /** An instance whose calls are repeated, as order-service does, while the machine is too busy to answer in time. */
  const door = (index: number) => {
    const calls = doors[index % doors.length] as Shop;
    const untilAnswered = async (call: () => Promise<TestAnswer>): Promise<TestAnswer> => {
      const answer = await call();
      return answer.status < 500 ? answer : untilAnswered(call);
    };
    return {
      reserve: (...given: Parameters<Shop['reserve']>) => untilAnswered(() => calls.reserve(...given)),
      pin: (...given: Parameters<Shop['pin']>) => untilAnswered(() => calls.pin(...given)),
      commit: (...given: Parameters<Shop['commit']>) => untilAnswered(() => calls.commit(...given)),
      release: (...given: Parameters<Shop['release']>) => untilAnswered(() => calls.release(...given)),
    };
  };

  async function cleanAudit() {
    const audited = await shop.audit();
    for (const { productId, discrepancies } of audited) assert.deepEqual(discrepancies, [], productId);
    return new Map(audited.map(one => [one.productId, one]));
  }

  it('500 buyers on 50 pieces: 50 get one, nobody else', async () => {
    for (let round = 0; round < 3; round += 1) {
      const productId = `last${round}`;
      await shop.open(productId, 50);
      const statuses = await Promise.all(
        Array.from({ length: 500 }, async (_, index) => {
          const orderId = `${productId}-${index}`;
          const reserved = await door(index).reserve(orderId, [{ productId, quantity: 1 }]);
          if (reserved.status === 409) {
            assert.equal(reserved.body.code, 'insufficient_stock');
            return 409;
          }
          assert.ok([200, 201].includes(reserved.status));
          const { holds } = reserved.body;
          const named = holds.map(({ holdId }: { holdId: string }) => ({ productId, holdId }));
          assert.equal((await door(index + 1).pin(orderId, named)).status, 200);
          assert.equal((await door(index).commit(orderId, named)).status, 200);
          return 200;
        }),
      );
      assert.equal(statuses.filter(status => status === 200).length, 50);
      const { onHand, reserved } = (await cleanAudit()).get(productId) ?? {};
      assert.deepEqual([onHand, reserved], [0, 0]);
    }
  });

  it('200 orders of the same two products in opposite line order sell both out', async () => {
    await shop.open('left', 100);
    await shop.open('right', 100);
    const lines = ['left', 'right'].map(productId => ({ productId, quantity: 1 }));
    const statuses = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const items = index % 2 ? lines : [...lines].reverse();
        return (await door(index >> 1).reserve(`pair-${index}`, items)).status;
      }),
    );
    assert.equal(statuses.filter(status => status < 300).length, 100);
    assert.equal(statuses.filter(status => status === 409).length, 100);
    const audited = await cleanAudit();
    assert.deepEqual([audited.get('left')?.reserved, audited.get('right')?.reserved], [100, 100]);
  });

  it('of one order sent many times one hold is made', async () => {
    await shop.open('once', 50);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => door(index).reserve('same', [{ productId: 'once', quantity: 2 }])),
    );
    assert.ok(answers.filter(({ status }) => status === 201).length <= 1);
    assert.equal(new Set(answers.map(({ body }) => body.holds[0].holdId)).size, 1);
    assert.equal((await cleanAudit()).get('once')?.reserved, 2);
  });

  it('releases, commits and new orders at once lose nothing', async () => {
    await shop.open('busy', 30);
    await Promise.all(
      Array.from({ length: 150 }, async (_, index) => {
        const orderId = `busy-${index}`;
        const { status, body } = await door(index).reserve(orderId, [{ productId: 'busy', quantity: 1 + (index % 3) }]);
        if (status === 409) return;
        const named = body.holds.map(({ holdId }: { holdId: string }) => ({ productId: 'busy', holdId }));
        await door(index).pin(orderId, named);
        await Promise.all([
          door(index).commit(orderId, named),
          door(index + 1).release(orderId, ['busy']),
          door(index).release(orderId, ['busy']),
        ]);
        await door(index + 1).release(orderId, ['busy']);
      }),
    );
    const { onHand, reserved } = (await cleanAudit()).get('busy') ?? {};
    assert.deepEqual([onHand, reserved], [30, 0]);
  });
});
