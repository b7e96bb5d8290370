const poll =
  'looks for work that a killed process left behind, whosever it is: a page of an index on each shard, twice a second';
const sweep = 'a sweep over what is old, once a minute';
const operator = "an operator's look, over everybody's";
const metric = 'a number for Prometheus, from an index on each shard';
/** The audit, the rebuilding of views, and what counts all. */
export const walk = 'goes through all there is';

/** What has to ask every shard, by its shape, and why. All else that concerns what is spread names its shard. */
export const scattered: Readonly<Record<string, string>> = {
  'order-service find events {$or, pending}': poll,
  'order-service find sagas {leaseUntil, nextRunAt, status}': poll,
  'inventory-service find stock {$or, outbox.id}': poll,
  'inventory-service find stock {holds.expiresAt}': poll,
  'inventory-service find stock {movements.at}': poll,
  'payment-service find payments {$or, outbox.id}': poll,
  'payment-service find payments {dueAt}': poll,
  'order-service delete sagas {keyExpiresAt, status}': sweep,
  'order-service update sagas {keyExpiresAt}': sweep,
  'order-service find orders {}': operator,
  'order-service find sagas {status}': operator,
  'payment-service find payments {status}': operator,
  'payment-service find payments {dueAt, openSince}': operator,
  'order-service update sagas {_id, status}':
    'an operator who tries again, and a hold that expired: both know the order and not its user, and are rare',
  'payment-service find payments {status, userId}':
    "a customer's list of payments: they are spread by orders, so that an order is charged once; a page of an index on each shard",
  'payment-service find payments {paymentId, status}': 'one payment by its own id, which few clients ever ask for',
  'order-service aggregate events {pending}': metric,
  'order-service find events {pending}': metric,
  'order-service aggregate sagas {status}': metric,
  'inventory-service aggregate stock {outbox.id}': metric,
  'inventory-service find stock {outbox.id}': metric,
  'payment-service aggregate payments {dueAt, openSince}': metric,
  'payment-service aggregate payments {outbox.id}': metric,
  'payment-service find payments {outbox.id}': metric,
  'order-service count events {}': walk,
  'order-service find events {}': walk,
  'order-service find orders {_id}': walk,
  'order-service find sagas {_id}': walk,
  'order-service find sagas {createdAt, status}': walk,
  'inventory-service find stock {}': walk,
  'payment-service find payments {}': walk,
};
