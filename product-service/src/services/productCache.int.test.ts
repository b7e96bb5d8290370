import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startTestDatabase } from '@tradepost/local/testing';
import { buildIndexes, createConnection } from '@tradepost/shared/mongo';
import type { Connection } from 'mongoose';
import { createProductModel, type ProductModel } from '../models/productModel.ts';
import { createProductCache, type ProductCacheOptions } from './productCache.ts';
import { draftProduct } from './writeProduct.ts';

let database: Awaited<ReturnType<typeof startTestDatabase>>;
let connection: Connection;
let model: ProductModel;
const state = { hears: true, now: 0 };
const ids = ['a', 'b', 'c', 'd'];

before(async () => {
  database = await startTestDatabase();
  connection = await createConnection(database.uri('products')).asPromise();
  model = createProductModel(connection);
  await buildIndexes(connection);
});
after(async () => {
  await connection.close();
  await database.close();
});
beforeEach(async () => {
  state.hears = true;
  await model.deleteMany({ _id: { $in: ids } });
  const price = { amount: 100, currency: 'GBP' };
  for (const id of ids) {
    const product = draftProduct({ sku: id, name: 'old', price }, undefined, { id, at: new Date(0) });
    await model.create({ ...product, outbox: [] });
  }
});

const cacheOf = (options: Partial<ProductCacheOptions> = {}) =>
  createProductCache({
    model,
    size: 10,
    hearsChanges: () => state.hears,
    clock: () => new Date(state.now),
    ...options,
  });

/** Changes all products in the database, so that it shows which answers come from memory. */
const rename = () => model.updateMany({ _id: { $in: ids } }, { name: 'new' });

type Cache = ReturnType<typeof createProductCache>;
const namesOf = async (cache: Cache, wanted: readonly string[] = ids): Promise<string[]> =>
  (await cache.getMany(wanted)).map(({ text }) => JSON.parse(text).name);

describe('products by id', () => {
  test('come in the order that is asked for, unknown ones left out, and from memory the second time', async () => {
    const cache = cacheOf();
    const read = await cache.getMany(['c', 'none', 'a']);
    assert.deepEqual(
      read.map(({ text }) => JSON.parse(text).id),
      ['c', 'a'],
    );
    await rename();
    assert.deepEqual(await namesOf(cache), ['old', 'new', 'old', 'new']);
  });

  test('are read again when they changed, when all may have changed, after half a minute, and while nothing is heard', async () => {
    const cache = cacheOf();
    await namesOf(cache);
    await rename();
    cache.drop('a');
    assert.deepEqual(await namesOf(cache), ['new', 'old', 'old', 'old']);
    state.hears = false;
    assert.deepEqual(await namesOf(cache, ['b']), ['new']);
    state.hears = true;
    assert.deepEqual(await namesOf(cache, ['b', 'c']), ['new', 'old']);
    state.now += 30_001;
    assert.deepEqual(await namesOf(cache, ['c']), ['new']);
    const other = cacheOf();
    await namesOf(other);
    await model.updateMany({ _id: { $in: ids } }, { name: 'newest' });
    other.clear();
    assert.deepEqual(await namesOf(other, ['d']), ['newest']);
  });

  test('that change while they are read are not kept, and those beside them are', async () => {
    const cache = cacheOf();
    const reading = cache.getMany(['a', 'b']);
    cache.drop('a');
    await reading;
    await rename();
    assert.deepEqual(await namesOf(cache, ['a', 'b']), ['new', 'old']);
    const missed = cacheOf();
    const readingAgain = missed.getMany(['c']);
    missed.clear();
    await readingAgain;
    await model.updateMany({ _id: 'c' }, { name: 'newest' });
    assert.deepEqual(await namesOf(missed, ['c']), ['newest']);
  });

  test('are kept in a bounded number and of a bounded length, those not asked for lately left out first', async () => {
    const one = (await cacheOf().getMany(['a']))[0]?.text.length ?? 0;
    for (const bound of [{ size: 2 }, { letters: 2 * one + 5 }]) {
      await model.updateMany({ _id: { $in: ids } }, { name: 'old' });
      const cache = cacheOf(bound);
      for (const id of ['a', 'b', 'a', 'c']) await cache.getMany([id]);
      await rename();
      assert.deepEqual(await namesOf(cache, ['a', 'c']), ['old', 'old']);
      assert.deepEqual(await namesOf(cache, ['b']), ['new']);
    }
    const none = cacheOf({ size: 0 });
    await none.getMany(['a']);
    await model.updateMany({ _id: 'a' }, { name: 'newest' });
    assert.deepEqual(await namesOf(none, ['a']), ['newest']);
  });
});
