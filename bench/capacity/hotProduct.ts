import { systemClock } from '@tradepost/shared/clock';
import { createServiceTokenSigner } from '@tradepost/shared/http/auth';
import { newId } from '@tradepost/shared/ids';
import mongoose from 'mongoose';
import { type Client, createClient } from './client.ts';
import { databaseOf, type MeasuredShop, startMeasuredShop } from './shop.ts';

export interface HotProduct {
  ordersPerSecond: Record<string, number>;
  updatesPerSecond: number;
}

const [callers, instances, updates, plenty] = [32, 3, 300, 100_000_000];

/**
 * How many orders a second the stock of one product bears: held, pinned and sold for callers who do nothing else, by one
 * instance of inventory-service and by three that share the work.
 * @param seconds of each of the two
 */
export async function measureHotProduct(seconds: number, say: (line: string) => void): Promise<HotProduct> {
  say('starting another shop, with three instances of inventory-service');
  const measured = await startMeasuredShop(instances);
  const clients = measured.shop
    .instances('inventory-service')
    .map(({ port }) => createClient(`http://127.0.0.1:${port}`));
  try {
    const token = await measured.shop.adminToken();
    const listed = await measured.shop.send('GET', '/api/products?limit=1');
    const productId = listed.body.items[0].id as string;
    await measured.shop.send('PATCH', `/api/inventory/${productId}`, { token, body: { onHand: plenty } });
    const sign = createServiceTokenSigner('order-service', measured.serviceTokenSecret, systemClock);
    const ordersPerSecond: Record<string, number> = {};
    for (const count of [1, instances]) {
      const used = clients.slice(0, count);
      await sellFor(Math.min(2, seconds), used, productId, sign);
      ordersPerSecond[count] = await sellFor(seconds, used, productId, sign);
      say(`one product, ${count} of inventory-service: ${ordersPerSecond[count].toFixed(0)} orders/s`);
    }
    return { ordersPerSecond, updatesPerSecond: await measureUpdates(measured) };
  } finally {
    for (const client of clients) client.close();
    await measured.stop();
  }
}

async function sellFor(
  seconds: number,
  clients: readonly Client[],
  productId: string,
  sign: (callee: string) => string,
): Promise<number> {
  const began = performance.now();
  let sold = 0;
  const caller = async (client: Client) => {
    while (performance.now() - began < 1_000 * seconds) {
      const token = sign('inventory-service');
      const orderId = newId();
      const ask = async (path: string, body: unknown) => {
        const answer = await client.send('POST', `/internal/reservations${path}`, { token, body });
        if (answer.status > 201) throw new Error(`${path}: ${answer.status} ${answer.text.slice(0, 200)}`);
        return JSON.parse(answer.text);
      };
      const { holds } = await ask('', { orderId, items: [{ productId, quantity: 1 }] });
      const named = { holds: holds.map(({ holdId }: { holdId: string }) => ({ productId, holdId })) };
      await ask(`/${orderId}/pin`, named);
      await ask(`/${orderId}/commit`, named);
      sold += 1;
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, n) => caller(clients[n % clients.length] as Client)));
  return (1_000 * sold) / (performance.now() - began);
}

/** Journaled updates of one document, one after the other: what two instances do that change the same product. */
async function measureUpdates({ databases }: MeasuredShop): Promise<number> {
  const client = new mongoose.mongo.MongoClient(databases['inventory-service'].uri(databaseOf('inventory-service')));
  try {
    const writeConcern = { w: 'majority', journal: true } as const;
    const collection = client.db().collection<{ _id: number }>('bench');
    await collection.insertOne({ _id: 1 });
    const began = performance.now();
    for (let n = 0; n < updates; n += 1) await collection.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { writeConcern });
    return (1_000 * updates) / (performance.now() - began);
  } finally {
    await client.close();
  }
}
