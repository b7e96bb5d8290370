import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { productCreated } from '@tradepost/shared/events/products';
import { newId } from '@tradepost/shared/ids';
import { createMessage } from '@tradepost/shared/messaging/message';
import fc from 'fast-check';
import { type Action, act, type Model, refunded } from './orderModel.ts';
import {
  type CallFault,
  type Killable,
  killable,
  type OrderParts,
  operations,
  startOrderParts,
  unitPrice,
} from './orderParts.ts';
import { address } from './testShop.ts';

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env.RUNS ?? 2);
console.log(`seed ${seed} (repeat with SEED=${seed})`);

let parts: OrderParts;
before(async () => {
  parts = await startOrderParts();
});
after(() => parts.close());

/** A product with a customer and the orders of one run. */
interface Real {
  productId: string;
  token: string;
  keys: string[];
  ids: string[];
}
type Command = fc.AsyncCommand<Model, Real>;

const admin = () => parts.token({ id: randomUUID(), role: 'admin' });

/** Does for real what the model did; its answer in the model's words. */
async function actForReal(real: Real, action: Action, body: object): Promise<string> {
  const ask = (path: string, options: object) => parts.insist('order-service', 'POST', `/api/orders${path}`, options);
  const place = async (key: string, request: object) => {
    const answer = await ask('', { token: real.token, headers: { 'Idempotency-Key': key }, body: request });
    return { answer, id: answer.body.id ?? answer.body.orderId };
  };
  const of = ({ status, body: answer }: Awaited<ReturnType<typeof ask>>) =>
    status < 300 ? String(status) : `${status} ${answer.code}`;
  switch (action.type) {
    case 'place': {
      const key = randomUUID();
      const { answer, id } = await place(key, body);
      real.keys.push(key);
      real.ids.push(id);
      requests.set(key, body);
      return of(answer);
    }
    case 'repeat': {
      const key = real.keys[action.order] ?? '';
      const { answer, id } = await place(key, requests.get(key) ?? {});
      assert.equal(id, real.ids[action.order]);
      return of(answer);
    }
    case 'refund': {
      const { amount, id } = action;
      const request = { ...(amount === undefined ? {} : { amount }), reason: 'scratched' };
      const options = { token: admin(), body: request, headers: { 'Idempotency-Key': id } };
      return of(await ask(`/${real.ids[action.order]}/refund`, options));
    }
    default: {
      const request = action.type === 'ship' ? { carrier: 'Post', trackingNumber: 'RN1' } : undefined;
      return of(await ask(`/${real.ids[action.order]}/${action.type}`, { token: admin(), body: request }));
    }
  }
}
const requests = new Map<string, object>();

/** All that can be told from outside, and whether anything is still under way. */
async function stateOf(real: Real) {
  const { productId } = real;
  const stock = (await parts.insist('inventory-service', 'GET', `/api/inventory/${productId}`, {})).body;
  const payments = await parts.insist('payment-service', 'POST', '/internal/audit/orders', {
    ...{ token: parts.serviceToken('payment-service'), body: { orderIds: real.ids.length > 0 ? real.ids : ['none'] } },
  });
  const orders = real.ids.map(async id => {
    const { body } = await parts.insist('order-service', 'GET', `/api/orders/${id}`, { token: real.token });
    const money = payments.body.items.find((row: { orderId: string }) => row.orderId === id)?.ours;
    const left = money ? money.captured - money.refunded : 0;
    return { status: body.status, version: body.version, refunded: body.payment.refunded.amount, left };
  });
  const open = { orderId: { $in: real.ids }, pending: true };
  const unfinished = { _id: { $in: real.ids as never[] }, status: { $nin: ['done', 'refused'] } };
  return {
    ...{ orders: await Promise.all(orders), stock: stock.onHand, reserved: stock.reserved },
    unfinished:
      (await parts.collection('order-service', 'sagas').countDocuments(unfinished)) +
      (await parts.collection('order-service', 'events').countDocuments(open)),
  };
}

const expected = (model: Model): Awaited<ReturnType<typeof stateOf>> => ({
  orders: model.orders.map(order => {
    const { status, version, captured } = order;
    return { status, version, refunded: refunded(order), left: captured - refunded(order) };
  }),
  ...{ stock: model.stock, reserved: 0, unfinished: 0 },
});

/** What was left to do behind the answer is done a little later. */
async function comesTo(real: Real, model: Model): Promise<void> {
  const wanted = JSON.stringify(expected(model));
  for (const until = performance.now() + 20_000; performance.now() < until; ) {
    if (JSON.stringify(await stateOf(real)) === wanted) return;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  assert.deepEqual(await stateOf(real), expected(model));
}

function commandOf(action: Action, fault: CallFault | undefined): Command {
  const resolve = (model: Model): Action =>
    action.type === 'place' ? action : { ...action, order: action.order % model.orders.length };
  return {
    check: model => action.type === 'place' || model.orders.length > 0,
    async run(model, real) {
      const resolved = resolve(model);
      parts.armed.fault = fault;
      parts.armed.expireHold = action.type === 'place' && action.holdExpires && action.quantity <= model.stock;
      const body =
        action.type === 'place'
          ? {
              ...{ items: [{ productId: real.productId, quantity: action.quantity }], shippingAddress: address },
              payment: { token: action.token },
            }
          : {};
      const answer = await actForReal(real, resolved, body);
      assert.equal(answer, act(model, resolved), String(this));
      await comesTo(real, model);
      parts.armed.fault = undefined;
    },
    toString: () => `${JSON.stringify(action)}${fault ? ` with ${fault.operation} ${fault.kind}` : ''}`,
  };
}

const restarted = (name: Killable): Command => ({
  check: () => true,
  async run(model, real) {
    await parts.restart(name);
    await comesTo(real, model);
  },
  toString: () => `${name} is killed and started`,
});

const order = fc.nat(20);
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('place' as const),
      quantity: fc.integer({ min: 1, max: 3 }),
      token: fc.constantFrom('tok_visa', 'tok_visa', 'tok_visa', 'tok_declined', 'tok_flaky', 'tok_timeout'),
      holdExpires: fc.integer({ min: 0, max: 5 }).map(n => n === 0),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('repeat' as const), order }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constantFrom('cancel' as const, 'cancel' as const, 'ship' as const, 'deliver' as const),
      order,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      ...{ type: fc.constant('refund' as const), order, id: fc.constantFrom('a', 'b') },
      amount: fc.option(fc.constantFrom(1, unitPrice / 2, unitPrice, 2 * unitPrice), { nil: undefined }),
    }),
  },
);
const fault: fc.Arbitrary<CallFault> = fc.record({
  operation: fc.constantFrom(...operations),
  kind: fc.constantFrom('call lost', 'answer lost', 'caller killed', 'callee killed'),
});
// Not fc.commands, whose sequences are mostly too short to come to a refund or a cancel.
const commands = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc
        .tuple(action, fc.option(fault, { nil: undefined, freq: 2 }))
        .map(([one, wrong]) => commandOf(one, wrong)),
    },
    { weight: 1, arbitrary: fc.constantFrom(...killable).map(restarted) },
  ),
  { minLength: 12, maxLength: 16 },
);

async function begin(stock: number): Promise<{ model: Model; real: Real }> {
  const productId = newId();
  const price = { amount: unitPrice, currency: 'GBP' };
  const data = { productId, sku: productId, name: 'Mug', category: null, price, status: 'active' as const, version: 1 };
  await parts.bus.publish(
    'products',
    createMessage(productCreated, {
      ...{ id: newId(), source: 'product-service', subject: productId, at: new Date() },
      data: { ...data, initialStock: stock },
    }),
  );
  const isOpen = () => parts.collection('inventory-service', 'stock').findOne({ _id: productId as never });
  while (!(await isOpen())) await new Promise(resolve => setTimeout(resolve, 10));
  return {
    model: { stock, orders: [] },
    real: { productId, token: parts.token({ id: randomUUID() }), keys: [], ids: [] },
  };
}

test('an order is what a plain model of it is, whatever is lost or killed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 4, max: 12 }), commands, async (stock, sequence) => {
      const start = await begin(stock);
      await fc.asyncModelRun(() => start, sequence);
    }),
    // Each try waits for what does not come; a shorter sequence is not worth the time.
    { seed, numRuns, endOnFailure: true },
  );
  const token = admin();
  const audit = await parts.insist('order-service', 'GET', '/api/operations/audit?patienceMs=0', { token });
  assert.deepEqual(audit.body.findings, []);
});
