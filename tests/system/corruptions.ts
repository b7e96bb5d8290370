import type { Spoiler } from './spoiler.ts';

/** Orders of every kind, by what became of them. */
export interface AuditedOrders {
  paid: string;
  shipped: string;
  refundedInPart: string;
  cancelled: string;
  declined: string;
  short: string;
}

/** One thing that is off, and what the audit must say of it. */
export interface Corruption {
  name: string;
  /** What the audit names, as `<check> <id>`. */
  finds: string[];
  spoil: (spoiler: Spoiler) => Promise<void>;
  /** Looked at before the orders are 30 s old; unfinished work counts from then on. */
  isYoung?: boolean;
}

const commitsOf = (id: string, version: number) => ({ orderId: id, version });
const [commits, sagas, views] = ['order-service/events', 'order-service/sagas', 'order-service/orders'] as const;
const [payments, provider] = ['payment-service/payments', 'payment-service/provider_charges'] as const;
const [stock, ledger] = ['inventory-service/stock', 'inventory-service/ledger'] as const;

const captured = { status: 'captured', amount: 900, left: 900, refunded: 0, openRefunds: 0, refunds: [] };

/** A pinned hold with a movement of its own, so that the product's books agree with each other. */
async function pinHold(spoiler: Spoiler, productId: string, orderId: string): Promise<void> {
  const hold = { id: 'h-spoiled', orderId, quantity: 1, pinned: true, expiresAt: null };
  await spoiler.change(stock, { _id: productId }, [
    { $set: { seq: { $add: ['$seq', 1] }, reserved: { $add: ['$reserved', 1] } } },
    {
      $set: {
        holds: { $concatArrays: ['$holds', [hold]] },
        movements: {
          $concatArrays: [
            '$movements',
            [{ id: 'reserve:h-spoiled', seq: '$seq', type: 'reserve', quantity: 1, orderId, holdId: 'h-spoiled' }],
          ],
        },
      },
    },
  ] as never);
}

/** A captured charge of an order, in our books and in the provider's. */
async function charge(spoiler: Spoiler, id: string, places: readonly ('ours' | 'provider')[]): Promise<void> {
  const common = { amount: 900, currency: 'GBP', left: 900, seen: 0, createdAt: new Date() };
  if (places.includes('ours'))
    await spoiler.add(payments, {
      ...{ _id: id, paymentId: `p-${id}`, cancelling: false, userId: 'u', provider: 'simulated', attempts: 0 },
      ...{ ...common, ...captured, providerId: `sim-${id}`, updatedAt: new Date(), outbox: [] },
    });
  if (places.includes('provider'))
    await spoiler.add(provider, {
      ...{ ...common, _id: id, providerId: `sim-${id}`, token: 'tok_visa' },
      ...{ state: 'captured', failures: 0, refunds: [] },
    });
}

/** One corruption per thing that a check looks at. */
export const corruptionsOf = (orders: AuditedOrders, productId: string): Corruption[] => [
  {
    name: 'a version is missing',
    finds: [`versions ${orders.paid}`],
    spoil: spoiler => spoiler.remove(commits, commitsOf(orders.paid, 2)),
  },
  {
    name: 'a version is there twice',
    finds: [`versions ${orders.paid}`],
    spoil: spoiler =>
      spoiler.add(commits, {
        ...{ _id: 'again', ...commitsOf(orders.paid, 4), at: new Date() },
        events: [{ type: 'OrderConfirmed', data: {}, schema: 1 }],
      }),
  },
  {
    name: 'the first version is missing',
    finds: [`versions ${orders.paid}`],
    spoil: spoiler => spoiler.remove(commits, commitsOf(orders.paid, 1)),
  },
  {
    name: 'a whole stream is missing',
    finds: [`money ${orders.paid}`, `versions ${orders.paid}`, `view ${orders.paid}`],
    spoil: spoiler => spoiler.remove(commits, { orderId: orders.paid }),
  },
  {
    name: 'an event is of a newer version of the service',
    finds: [`versions ${orders.paid}`],
    spoil: spoiler => spoiler.change(commits, commitsOf(orders.paid, 1), { $set: { 'events.0.schema': 99 } }),
  },
  {
    name: 'a view is missing',
    finds: [`view ${orders.paid}`],
    spoil: spoiler => spoiler.remove(views, { _id: orders.paid }),
  },
  {
    name: 'a view is of an older version',
    finds: [`view ${orders.shipped}`],
    spoil: spoiler =>
      spoiler.change(
        views,
        { _id: orders.shipped },
        { $set: { version: 4, status: 'confirmed' }, $unset: { shipment: 1 } },
      ),
  },
  {
    name: 'a view shows another value',
    finds: [`view ${orders.paid}`],
    spoil: spoiler => spoiler.change(views, { _id: orders.paid }, { $inc: { total: 1 } }),
  },
  {
    name: 'a view shows more than there is',
    finds: [`view ${orders.paid}`],
    spoil: spoiler => spoiler.change(views, { _id: orders.paid }, { $set: { gift: true } }),
  },
  {
    name: 'a view is of no order',
    finds: ['view nobody'],
    spoil: spoiler => spoiler.add(views, { _id: 'nobody', userId: 'u', version: 1 }),
  },
  {
    name: 'a saga is older than 30 s and not done',
    finds: [`unfinished ${orders.shipped}`],
    spoil: spoiler => spoiler.change(sagas, { _id: orders.shipped }, { $set: { status: 'running' } }),
  },
  {
    name: 'a saga waits for the operator',
    finds: [`unfinished ${orders.declined}`],
    spoil: spoiler => spoiler.change(sagas, { _id: orders.declined }, { $set: { status: 'needs_attention' } }),
  },
  {
    name: 'an order has no saga',
    finds: [`unfinished ${orders.paid}`],
    spoil: spoiler => spoiler.remove(sagas, { _id: orders.paid }),
    isYoung: true,
  },
  {
    name: 'an accepted order has no events',
    finds: ['unfinished accepted'],
    spoil: spoiler => spoiler.add(sagas, { _id: 'accepted', userId: 'u', status: 'running', createdAt: new Date() }),
  },
  {
    name: 'an event is not published',
    finds: [`unfinished ${orders.paid}`],
    spoil: spoiler => spoiler.change(commits, commitsOf(orders.paid, 3), { $set: { pending: true } }),
  },
  {
    name: 'the provider owes an answer',
    finds: [`unfinished ${orders.paid}`],
    spoil: spoiler => spoiler.change(payments, { _id: orders.paid }, { $set: { openSince: new Date() } }),
  },
  {
    name: 'an order is pending, and its saga is done',
    finds: [`unfinished ${orders.paid}`, `view ${orders.paid}`],
    spoil: spoiler => spoiler.remove(commits, commitsOf(orders.paid, 3)),
  },
  {
    name: 'a confirmed order has no payment',
    finds: [`money ${orders.paid}`],
    async spoil(spoiler) {
      await spoiler.remove(payments, { _id: orders.paid });
      await spoiler.remove(provider, { _id: orders.paid });
    },
  },
  {
    name: 'a confirmed order is paid in part',
    finds: [`money ${orders.paid}`],
    async spoil(spoiler) {
      await spoiler.change(payments, { _id: orders.paid }, { $inc: { amount: -1 } });
      await spoiler.change(provider, { _id: orders.paid }, { $inc: { amount: -1 } });
    },
  },
  {
    name: 'money is captured for an order that was turned back',
    finds: [`money ${orders.declined}`],
    async spoil(spoiler) {
      await spoiler.change(payments, { _id: orders.declined }, { $set: captured });
      await spoiler.change(provider, { _id: orders.declined }, { $set: { state: 'captured', amount: 900 } });
    },
  },
  {
    name: 'the refund of a cancelled order is missing',
    finds: [`money ${orders.cancelled}`],
    async spoil(spoiler) {
      await spoiler.change(payments, { _id: orders.cancelled }, { $set: { refunds: [], refunded: 0 } });
      await spoiler.change(provider, { _id: orders.cancelled }, { $set: { refunds: [] } });
    },
  },
  {
    name: 'a refund is not recorded in the order',
    finds: [`money ${orders.refundedInPart}`],
    async spoil(spoiler) {
      await spoiler.change(payments, { _id: orders.refundedInPart }, { $inc: { refunded: 50 } });
      const refunds = { key: 'spoiled', amount: 50 };
      await spoiler.change(provider, { _id: orders.refundedInPart }, { $push: { refunds } });
    },
  },
  {
    name: 'money is captured for nobody',
    finds: ['money nobody'],
    spoil: spoiler => charge(spoiler, 'nobody', ['ours', 'provider']),
  },
  {
    name: 'an order has two payments',
    finds: [`money ${orders.paid}-2`],
    spoil: spoiler => charge(spoiler, `${orders.paid}-2`, ['ours', 'provider']),
  },
  {
    name: 'the provider has charged an order twice',
    finds: [`provider ${orders.paid}-2`],
    spoil: spoiler => charge(spoiler, `${orders.paid}-2`, ['provider']),
  },
  {
    name: 'the provider knows nothing of a charge',
    finds: [`provider ${orders.paid}`],
    spoil: spoiler => spoiler.remove(provider, { _id: orders.paid }),
  },
  {
    name: 'the provider knows nothing of a refund',
    finds: [`provider ${orders.cancelled}`],
    spoil: spoiler => spoiler.change(provider, { _id: orders.cancelled }, { $set: { refunds: [] } }),
  },
  {
    name: 'a confirmed order got nothing',
    finds: [`sold ${orders.paid}`],
    spoil: spoiler => spoiler.change(ledger, { orderId: orders.paid, type: 'commit' }, { $set: { orderId: 'other' } }),
  },
  {
    name: 'a cancelled order kept its pieces',
    finds: [`sold ${orders.cancelled}`],
    spoil: spoiler =>
      spoiler.change(ledger, { orderId: orders.cancelled, type: 'return' }, { $set: { orderId: 'other' } }),
  },
  {
    name: 'a hold is pinned for an order that is done',
    finds: [`holds ${orders.paid}`],
    spoil: spoiler => pinHold(spoiler, productId, orders.paid),
  },
  {
    name: 'a hold is pinned for nobody',
    finds: ['holds nobody'],
    spoil: spoiler => pinHold(spoiler, productId, 'nobody'),
  },
  {
    name: 'an order that is confirmed and not done has neither its hold nor its pieces',
    finds: [`holds ${orders.paid}`],
    async spoil(spoiler) {
      await spoiler.change(sagas, { _id: orders.paid }, { $set: { status: 'running' } });
      await spoiler.change(ledger, { orderId: orders.paid, type: 'commit' }, { $set: { orderId: 'other' } });
    },
    isYoung: true,
  },
  {
    name: 'an order that is confirmed and not done is not paid',
    finds: [`money ${orders.paid}`],
    async spoil(spoiler) {
      await spoiler.change(sagas, { _id: orders.paid }, { $set: { status: 'running' } });
      await spoiler.remove(payments, { _id: orders.paid });
      await spoiler.remove(provider, { _id: orders.paid });
    },
    isYoung: true,
  },
  {
    name: 'a hold counts for nothing',
    finds: [`ledger ${productId}`],
    spoil: spoiler =>
      spoiler.change(
        stock,
        { _id: productId },
        { $push: { holds: { id: 'h', orderId: 'o', quantity: 1, pinned: false, expiresAt: new Date() } } },
      ),
  },
  {
    name: 'stock is not what its movements add up to',
    finds: [`ledger ${productId}`],
    spoil: spoiler => spoiler.change(stock, { _id: productId }, { $inc: { onHand: 1 } }),
  },
  {
    name: 'a movement is missing',
    finds: [`ledger ${productId}`],
    spoil: spoiler => spoiler.remove(ledger, { productId, type: 'open' }),
  },
];
