import type { ServiceName } from '@tradepost/shared/discovery';

/** Fields by whose values a collection is spread, in their order, as `shardCollection` takes them. */
export type ShardKey = Readonly<Record<string, 'hashed' | 1>>;

/** A collection that grows with orders. */
export interface ShardedCollection {
  key: ShardKey;
  /**
   * Why no two shards can come to hold a document of the same `_id`, where the key is another field: MongoDB sees to that
   * on each shard alone.
   */
  oneId?: string;
}

/** What the shards of a service's database hold a part of each, and what stays whole on one of them, and why. */
export interface DatabaseSharding {
  sharded: Readonly<Record<string, ShardedCollection>>;
  whole: Readonly<Record<string, string>>;
}

const byId: ShardedCollection = { key: { _id: 'hashed' } };

/**
 * How each service's database is spread over the shards of a cluster, the one place that says so. Every key begins hashed: ids
 * grow with time, so that by their ranges all that is new would go to one shard. docs/decisions/0008-sharding.md has the
 * reasons.
 */
export const sharding: Readonly<Record<ServiceName, DatabaseSharding>> = {
  'order-service': {
    sharded: {
      events: { key: { orderId: 'hashed' }, oneId: 'every commit has a new random id' },
      orders: { key: { userId: 'hashed', _id: 1 }, oneId: 'an order is of one user for ever' },
      sagas: { key: { userId: 'hashed' }, oneId: 'an order is of one user for ever' },
      inbox: byId,
    },
    whole: { written_schemas: 'a document for each kind of event' },
  },
  'inventory-service': {
    sharded: {
      stock: byId,
      ledger: { key: { productId: 'hashed', seq: 1 }, oneId: 'a movement has one product and one number' },
      inbox: byId,
    },
    whole: {},
  },
  'payment-service': {
    sharded: { payments: byId, provider_events: byId, inbox: byId },
    whole: { provider_charges: 'the books of the simulated provider, which no shop that grows has' },
  },
  'user-service': {
    sharded: {
      confirmed_orders: { key: { userId: 'hashed', _id: 1 }, oneId: 'an order is of one user for ever' },
    },
    whole: {
      users: 'grows with customers; an email address is unique among all',
      sessions: 'grows with customers, and old ones go by themselves',
      login_failures: 'goes by itself when it counts no more',
      signing_keys: 'a few documents',
    },
  },
  'product-service': { sharded: {}, whole: { products: 'grows with the catalogue; a sku is unique among all' } },
};
