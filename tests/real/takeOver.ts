import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Instance } from '@tradepost/local/processes/fleet';
import { send } from '@tradepost/local/testing';
import type { Connection } from 'mongoose';
import { type RealShop, until } from './realShop.ts';

const count = 5;
const limitMs = 60_000;
const address = { name: 'Ada', line1: '12 Mill Lane', city: 'York', postcode: 'YO1 7HH', country: 'GB' };

interface Stream {
  types: string[];
  at: Date[];
}

/** Orders that one instance begins, and that are to be finished by others. */
export interface BegunOrders {
  /**
   * Repeats the requests until each is answered by its own order, confirmed.
   * @returns how many of them were charged after `killedAt`, by others
   */
  finish(killedAt: Date): Promise<number>;
}

/**
 * Has an instance of order-service begin orders whose charges take three seconds, and comes back in the middle of them.
 * @param database that of order-service
 */
export async function beginOrders(shop: RealShop, instance: Instance, database: Connection): Promise<BegunOrders> {
  const token = await shop.register();
  const [product] = (await shop.send('GET', '/api/products?limit=1')).body.items as { id: string }[];
  const keys = Array.from({ length: count }, () => randomUUID());
  const body = {
    ...{ items: [{ productId: product?.id, quantity: 1 }], shippingAddress: address, payment: { token: 'tok_slow' } },
  };
  const request = (key: string) => ({ token, body, headers: { 'Idempotency-Key': key } });
  const collection = (name: string) =>
    database.collection(name) as never as {
      find(filter: object): {
        toArray(): Promise<{ _id: string; key: string; events: { type: string }[]; at: Date }[]>;
      };
    };
  const ids = async () => {
    const sagas = await collection('sagas')
      .find({ key: { $in: keys } })
      .toArray();
    return new Map(sagas.map(({ key, _id }) => [key, _id]));
  };
  const streamOf = async (orderId: string | undefined): Promise<Stream> => {
    const commits = await collection('events').find({ orderId }).toArray();
    const events = commits.flatMap(({ events, at }) => events.map(({ type }) => ({ type, at })));
    return { types: events.map(({ type }) => type), at: events.map(({ at }) => at) };
  };

  // Nobody waits for these answers: the instance is not there to give them.
  for (const key of keys)
    void send(`http://127.0.0.1:${instance.port}`, 'POST', '/api/orders', request(key)).catch(() => {});
  let begun = new Map<string, string>();
  await until(async () => {
    begun = await ids();
    const streams = await Promise.all([...begun.values()].map(streamOf));
    return begun.size === count && streams.every(({ types }) => types.includes('StockReserved'));
  }, limitMs);
  return {
    async finish(killedAt) {
      let takenOver = 0;
      for (const key of keys) {
        let answer: { status: number; body: { id?: string } } | undefined;
        await until(
          async () => {
            answer = await shop.send('POST', '/api/orders', request(key)).catch(() => undefined);
            return answer?.status === 201;
          },
          limitMs,
          () => answer,
        );
        assert.equal(answer?.body.id, begun.get(key), 'the same order');
        const { types, at } = await streamOf(begun.get(key));
        assert.deepEqual(types, ['OrderCreated', 'StockReserved', 'PaymentCaptured', 'OrderConfirmed']);
        assert.ok(at[1]! < killedAt, 'the killed instance had reserved its stock');
        if (at[2]! > killedAt) takenOver += 1;
      }
      return takenOver;
    },
  };
}
