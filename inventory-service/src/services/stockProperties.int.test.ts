import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isAppError } from '@tradepost/shared/errors';
import fc from 'fast-check';
import type { AuditedProduct, StockAudit } from './auditStock.ts';
import { type Instance, startInstances } from './instances.testing.ts';
import { createStockModel, type Line, type ModelAnswer, type Named } from './stockModel.testing.ts';

const holdTtlMs = 60_000;
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
console.log(`seed ${seed} (repeat with SEED=${seed})`);

type Step =
  | { do: 'reserve' | 'release'; order: number }
  | { do: 'pin' | 'commit'; order: number; older: boolean }
  | { do: 'adjust'; product: number; by: number }
  | { do: 'count'; product: number; onHand: number }
  | { do: 'pass'; ms: number }
  | { do: 'sweep' }
  | { do: 'drain'; dies: '' | 'beforeLedger' | 'afterLedger' | 'afterPull' };

const order = fc.integer({ min: 0, max: 4 });
const product = fc.integer({ min: 0, max: 1 });
const some = <D extends string>(word: D) => fc.constant(word);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: some('reserve'), order }) },
  { weight: 3, arbitrary: fc.record({ do: some('pin'), order, older: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: some('commit'), order, older: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: some('release'), order }) },
  { weight: 1, arbitrary: fc.record({ do: some('adjust'), product, by: fc.integer({ min: -4, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: some('count'), product, onHand: fc.integer({ min: 0, max: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ do: some('pass'), ms: fc.constantFrom(1, holdTtlMs / 2, holdTtlMs) }) },
  { weight: 2, arbitrary: fc.record({ do: some('sweep') }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: some('drain'), dies: fc.constantFrom('', 'beforeLedger', 'afterLedger', 'afterPull') }),
  },
);

describe('stock against a plain model', () => {
  let shop: Awaited<ReturnType<typeof startInstances>>;
  let run = 0;

  before(async () => {
    shop = await startInstances(2, { HOLD_TTL_MS: holdTtlMs });
  });
  after(() => shop.close());

  /** Two fresh products, and orders of one or both of them. */
  async function open() {
    run += 1;
    const products = [`r${run}-a`, `r${run}-b`];
    for (const productId of products) await (shop.instances[0] as Instance).openStock(productId, 5);
    const linesOf = (index: number): Line[] =>
      products
        .map((productId, place) => ({ productId, quantity: 1 + ((index + place) % 3) }))
        .filter((_, place) => index % 3 === 2 || index % 2 === place);
    /** Hold ids that the service gave out, by order and product, newest last. */
    const given = new Map<string, string[]>();
    const key = (orderId: string, productId: string) => `${orderId} ${productId}`;
    return {
      products,
      linesOf,
      orderId: (index: number) => `r${run}-o${index}`,
      learn(orderId: string, holds: { productId: string; holdId: string }[]) {
        for (const { productId, holdId } of holds) {
          const ids = given.get(key(orderId, productId)) ?? [];
          if (!ids.includes(holdId)) given.set(key(orderId, productId), [...ids, holdId]);
        }
      },
      named: (orderId: string, lines: Line[], older: boolean): Named =>
        lines.map(({ productId }) => {
          const ids = given.get(key(orderId, productId)) ?? [];
          return { productId, holdId: ids.at(older ? 0 : -1) ?? 'never given' };
        }),
      newest: (orderId: string, productId: string) => given.get(key(orderId, productId))?.at(-1),
    };
  }
  type Round = Awaited<ReturnType<typeof open>>;

  /** Does one step on an instance and answers in the model's words. */
  async function act(instance: Instance, round: Round, step: Step): Promise<ModelAnswer> {
    const orderId = 'order' in step ? round.orderId(step.order) : '';
    const lines = 'order' in step ? round.linesOf(step.order) : [];
    const productId = 'product' in step ? (round.products[step.product] as string) : '';
    try {
      switch (step.do) {
        case 'reserve': {
          const { made, holds } = await instance.reserveStock({ orderId, items: lines });
          round.learn(orderId, holds);
          return { answer: made ? 'made' : 'again' };
        }
        case 'pin':
        case 'commit':
          await instance.settleHolds[step.do](orderId, round.named(orderId, lines, step.older));
          break;
        case 'release':
          await instance.settleHolds.release(
            orderId,
            lines.map(line => line.productId),
          );
          break;
        case 'adjust':
          await instance.adjustStock(productId, { adjustBy: step.by, reason: 'test' });
          break;
        case 'count':
          await instance.adjustStock(productId, { onHand: step.onHand });
          break;
        case 'pass':
          shop.pass(step.ms);
          break;
        case 'sweep':
          await instance.sweepHolds();
          break;
        case 'drain':
          if (step.dies) instance.dieAt(`inventory.drain.${step.dies}`);
          await instance.drainAll().catch((error: Error) => assert.match(error.message, /^died/));
          break;
      }
      return { answer: 'done' };
    } catch (error) {
      if (!isAppError(error)) throw error;
      const shortages = error.extras.members?.shortages as ModelAnswer['shortages'];
      return { answer: error.code, ...(shortages && { shortages }) };
    }
  }

  function actOnModel(model: ReturnType<typeof createStockModel>, round: Round, step: Step): ModelAnswer {
    const orderId = 'order' in step ? round.orderId(step.order) : '';
    const lines = 'order' in step ? round.linesOf(step.order) : [];
    switch (step.do) {
      case 'reserve':
        return model.reserve(orderId, lines, productId => round.newest(orderId, productId));
      case 'pin':
      case 'commit':
        return model[step.do](orderId, round.named(orderId, lines, step.older));
      case 'release':
        return model.release(
          orderId,
          lines.map(line => line.productId),
        );
      case 'adjust':
        return model.adjust(round.products[step.product] as string, onHand => onHand + step.by);
      case 'count':
        return model.adjust(round.products[step.product] as string, () => step.onHand);
      case 'pass':
        model.pass(step.ms);
        break;
      case 'sweep':
        model.sweep();
        break;
    }
    return { answer: 'done' };
  }

  async function auditOf(round: Round) {
    const [auditor] = shop.instances as [Instance];
    const all: AuditedProduct[] = [];
    // A page of a slow machine may end early.
    for (let after: string | undefined = `r${run}`; after !== undefined && all.length < 2; ) {
      const { items, next }: Awaited<ReturnType<StockAudit['products']>> = await auditor.audit.products({
        after,
        limit: 2 - all.length,
      });
      all.push(...items);
      after = next;
    }
    assert.deepEqual(
      all.map(({ productId }) => productId),
      round.products,
    );
    for (const { productId, discrepancies } of all) assert.deepEqual(discrepancies, [], productId);
    return all;
  }

  it('answers as the model does and adds up after every step', async () => {
    const steps = fc.array(fc.record({ step, on: fc.integer({ min: 0, max: 1 }) }), { minLength: 1, maxLength: 25 });
    const property = fc.asyncProperty(steps, async sequence => {
      const round = await open();
      const model = createStockModel(Object.fromEntries(round.products.map(id => [id, 5])), holdTtlMs);
      for (const { step, on } of sequence) {
        const actual = await act(shop.instances[on] as Instance, round, step);
        assert.deepEqual(actual, actOnModel(model, round, step), JSON.stringify(step));
        for (const { productId, onHand, reserved } of await auditOf(round)) {
          assert.deepEqual({ onHand, reserved }, model.level(productId), productId);
        }
      }
    });
    await fc.assert(property, { seed, numRuns: 40 });
  });

  it('adds up after whatever happened at once on two instances', async () => {
    const steps = fc.array(fc.record({ step, on: fc.integer({ min: 0, max: 1 }) }), { minLength: 2, maxLength: 40 });
    const property = fc.asyncProperty(steps, async sequence => {
      const round = await open();
      let adjusted = 0;
      const answers = await Promise.all(
        sequence.map(async ({ step, on }) => ({ step, ...(await act(shop.instances[on] as Instance, round, step)) })),
      );
      const counted = answers.some(({ step, answer }) => step.do === 'count' && answer === 'done');
      for (const { step, answer } of answers) if (step.do === 'adjust' && answer === 'done') adjusted += step.by;
      const products = await auditOf(round);
      const onHand = products.reduce((sum, one) => sum + one.onHand, 0);
      const orders = [0, 1, 2, 3, 4].map(index => ({ orderId: round.orderId(index), productIds: round.products }));
      const [auditor] = shop.instances as [Instance];
      const rows = await auditor.audit.orders(orders);
      const sold = rows.reduce((sum, row) => sum + row.sold, 0);
      assert.ok(
        rows.every(row => row.sold >= 0),
        'returned more than was sold',
      );
      if (!counted) assert.equal(onHand + sold, 10 + adjusted);
      // Whatever happened: releasing every order brings all pieces back.
      for (const { orderId, productIds } of orders) await auditor.settleHolds.release(orderId, productIds);
      const back = await auditOf(round);
      assert.equal(
        back.reduce((sum, one) => sum + one.onHand, 0),
        onHand + sold,
      );
      assert.ok(back.every(({ reserved }) => reserved === 0));
    });
    await fc.assert(property, { seed, numRuns: 40 });
  });
});
