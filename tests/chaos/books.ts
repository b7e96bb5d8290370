import { databaseUri } from '@tradepost/local/infrastructure';
import { createConnection } from '@tradepost/shared/mongo';

/** What the databases of a running shop say about work that is not done yet. */
export interface Books {
  /** How many orders and payments somebody still works on. */
  unfinished(): Promise<number>;
  /** Messages that have not reached their consumers, or never will; empty at rest. */
  undelivered(): Promise<string[]>;
  /** Id of the order that an Idempotency-Key began; undefined while there is none. */
  orderIdOf(key: string): Promise<string | undefined>;
  /** How many payments hold money: captured, and not given back whole. */
  paid(): Promise<number>;
  close(): Promise<void>;
}

/** Collections whose documents carry messages on their way to the bus. */
const outboxes = [
  ['product-service', 'products'],
  ['inventory-service', 'stock'],
  ['payment-service', 'payments'],
  ['user-service', 'users'],
  ['user-service', 'sessions'],
] as const;

/** @param mongodbUri the shop's document store. Every call rejects when it is gone */
export async function openBooks(mongodbUri: string): Promise<Books> {
  const connection = createConnection(databaseUri(mongodbUri, 'order-service'));
  await connection.asPromise();
  const rows = (service: string, collection: string) =>
    connection.getClient().db(databaseUri('mongodb://-', service).split('/').at(-1)).collection(collection);
  return {
    async unfinished() {
      const counts = await Promise.all([
        rows('order-service', 'sagas').countDocuments({ status: 'running' }),
        rows('order-service', 'events').countDocuments({ pending: true }),
        rows('payment-service', 'payments').countDocuments({ dueAt: { $exists: true } }),
      ]);
      return counts.reduce((sum, count) => sum + count, 0);
    },
    async undelivered() {
      const found: string[] = [];
      for (const [service, collection] of outboxes) {
        const waiting = await rows(service, collection).countDocuments({ 'outbox.id': { $gt: '' } });
        if (waiting > 0) found.push(`${waiting} documents of ${service} have messages that were not published`);
      }
      for await (const { _id, error } of rows('bus', 'messages').find()) {
        found.push(`message ${_id} was not handled${error ? `: ${error}` : ''}`);
      }
      // Each confirmed order counts once for its customer, however often its message came.
      const [confirmed, counted] = await Promise.all([
        rows('order-service', 'events').distinct('orderId', { 'events.type': 'OrderConfirmed' }),
        rows('user-service', 'confirmed_orders').distinct('_id', {}),
      ]);
      const missing = new Set<unknown>(confirmed).symmetricDifference(new Set<unknown>(counted));
      for (const orderId of missing) found.push(`order ${orderId} is confirmed, and does not count for its customer`);
      return found;
    },
    async orderIdOf(key) {
      const saga = await rows('order-service', 'sagas').findOne({ key }, { projection: { _id: 1 } });
      return saga ? String(saga._id) : undefined;
    },
    async paid() {
      const captured = await rows('payment-service', 'payments').find({ status: 'captured' }).toArray();
      return captured.filter(payment => payment.refunded < payment.amount).length;
    },
    close: () => connection.close(),
  };
}
