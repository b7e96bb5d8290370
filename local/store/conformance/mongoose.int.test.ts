import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import mongoose from 'mongoose';
import { type Document, serverKinds, startServer, type TestServer } from './servers.ts';

/** What the services do with mongoose 9, with the options they set and without any. */
const OPTIONS: [string, mongoose.ConnectOptions][] = [
  ['services’ options', { directConnection: true, retryWrites: false, writeConcern: { w: 1, j: true } }],
  ['default options', {}],
];

for (const kind of serverKinds()) {
  for (const [name, options] of OPTIONS) {
    describe(`mongoose with ${name} (${kind})`, () => {
      let server: TestServer;
      let connection: mongoose.Connection;
      let models: ReturnType<typeof defineModels>;

      before(async () => {
        server = await startServer(kind);
        const uri =
          name === 'default options' ? server.uri.replace(/\?.*/, 'shop') : server.uri.replace('/?', '/shop?');
        connection = await mongoose.createConnection(uri, options).asPromise();
        models = defineModels(connection);
        await Promise.all([models.Product.init(), models.Event.init()]);
      });
      after(async () => {
        await connection.close();
        await server.stop();
      });

      it('creates the indexes of the schemas', async () => {
        const names = (await models.Product.listIndexes()).map((i: { name?: string }) => i.name);
        assert.deepEqual(names, ['_id_', 'sku_1', 'category_1_createdAt_-1', 'expiresAt_1']);
        assert.deepEqual(await models.Product.diffIndexes(), { toDrop: [], toCreate: [] });
      });

      it('drops indexes that no schema has any more', async () => {
        await models.Product.collection.createIndex({ old: 1 });
        assert.deepEqual(await models.Product.syncIndexes(), ['old_1']);
      });

      it('saves and changes a document, with timestamps and versions', async () => {
        const product = await models.Product.create({
          sku: 'p1',
          name: 'Tasse',
          price: { amount: 995, currency: 'EUR' },
        });
        assert.ok(product.createdAt instanceof Date);
        product.name = 'Große Tasse';
        product.tags.push('neu', 'rot');
        await product.save();
        (product.tags as mongoose.Types.Array<string>).pull('neu');
        await product.save();
        const found = await models.Product.findOne({ sku: 'p1' }).orFail();
        assert.deepEqual([found.name, [...found.tags], found.price?.amount], ['Große Tasse', ['rot'], 995]);
        assert.ok(found.updatedAt.getTime() >= found.createdAt.getTime());
      });

      it('refuses a duplicate with code 11000', async () => {
        await models.Product.create({ sku: 'dup' });
        await assert.rejects(models.Product.create({ sku: 'dup' }), (error: Document) => {
          assert.deepEqual([error.code, error.keyPattern, error.keyValue], [11000, { sku: 1 }, { sku: 'dup' }]);
          return true;
        });
      });

      it('notices a concurrent change by the version', async () => {
        await models.Product.create({ sku: 'v', tags: ['a', 'b', 'c'] });
        const [one, two] = [await models.Product.findOne({ sku: 'v' }), await models.Product.findOne({ sku: 'v' })];
        one!.set('tags', ['x']);
        await one!.save();
        two!.set('tags.1', 'z');
        await assert.rejects(two!.save(), { name: 'VersionError' });
      });

      it('updates under a condition and answers the new document', async () => {
        await models.Product.create({ sku: 'stock', stock: { available: 2 } });
        const take = () =>
          models.Product.findOneAndUpdate(
            { sku: 'stock', 'stock.available': { $gte: 1 } },
            { $inc: { 'stock.available': -1 }, $push: { 'stock.holds': { order: 'o', quantity: 1 } } },
            { returnDocument: 'after' },
          );
        const results = await Promise.all([take(), take(), take(), take()]);
        assert.equal(results.filter(Boolean).length, 2);
        const found = await models.Product.findOne({ sku: 'stock' }).lean().orFail();
        assert.deepEqual([found.stock?.available, found.stock?.holds.length], [0, 2]);
      });

      it('upserts with timestamps and defaults', async () => {
        const filter = { sku: 'upserted' };
        const options = { upsert: true, returnDocument: 'after', setDefaultsOnInsert: true } as const;
        const made = await models.Product.findOneAndUpdate(filter, { $set: { name: 'Neu' } }, options).orFail();
        assert.deepEqual([made.name, made.active, made.stock?.available], ['Neu', true, 0]);
        assert.ok(made.createdAt instanceof Date);
      });

      it('writes in bulk', async () => {
        const result = await models.Product.bulkWrite([
          { insertOne: { document: { sku: 'b1' } } },
          { updateOne: { filter: { sku: 'b1' }, update: { $set: { name: 'Bulk' } } } },
          { updateOne: { filter: { sku: 'b2' }, update: { $set: { name: 'Bulk' } }, upsert: true } },
          { deleteOne: { filter: { sku: 'b1' } } },
        ]);
        assert.deepEqual(
          [result.insertedCount, result.modifiedCount, result.upsertedCount, result.deletedCount],
          [1, 1, 1, 1],
        );
        const inserted = await models.Product.insertMany([{ sku: 'm1' }, { sku: 'm2' }]);
        assert.equal(inserted.length, 2);
      });

      it('reads by a cursor, lean, sorted, paged and selected', async () => {
        await models.Event.insertMany(
          Array.from({ length: 250 }, (_, i) => ({ order: `o${i % 5}`, version: i, events: [{ type: 'X', n: i }] })),
        );
        const versions: unknown[] = [];
        for await (const e of models.Event.find({ order: 'o3' }).sort({ version: 1 }).batchSize(10).cursor())
          versions.push(e.version);
        assert.deepEqual(
          versions,
          Array.from({ length: 50 }, (_, i) => i * 5 + 3),
        );
        const page = await models.Event.find({ order: 'o1' })
          .sort({ version: -1 })
          .skip(2)
          .limit(2)
          .select('version -_id')
          .lean();
        assert.deepEqual(page, [{ version: 236 }, { version: 231 }]);
        assert.equal(await models.Event.countDocuments({ order: 'o1' }), 50);
        assert.deepEqual((await models.Event.distinct('order')).toSorted(), ['o0', 'o1', 'o2', 'o3', 'o4']);
        assert.ok(await models.Event.exists({ order: 'o1' }));
      });

      it('appends to a stream once per version', async () => {
        const append = () => models.Event.create({ order: 'race', version: 1, events: [{ type: 'OrderCreated' }] });
        const results = await Promise.allSettled(Array.from({ length: 10 }, append));
        assert.equal(results.filter(r => r.status === 'fulfilled').length, 1);
        assert.ok(results.every(r => r.status === 'fulfilled' || r.reason.code === 11000));
      });

      it('aggregates and joins', async () => {
        await models.Product.create([
          { sku: 'g1', category: 'c' },
          { sku: 'g2', category: 'c' },
        ]);
        await models.Event.create({ order: 'g1', version: 1, events: [] });
        const found = await models.Product.aggregate([
          { $match: { category: 'c' } },
          { $lookup: { from: 'events', localField: 'sku', foreignField: 'order', as: 'events' } },
          { $group: { _id: '$category', products: { $sum: 1 }, events: { $sum: { $size: '$events' } } } },
        ]);
        assert.deepEqual(found, [{ _id: 'c', products: 2, events: 1 }]);
      });

      it('deletes', async () => {
        await models.Product.create([{ sku: 'd1' }, { sku: 'd2' }]);
        assert.equal((await models.Product.deleteOne({ sku: 'd1' })).deletedCount, 1);
        assert.equal((await models.Product.findOneAndDelete({ sku: 'd2' }))!.sku, 'd2');
        assert.equal((await models.Product.deleteMany({ sku: /^d\d/ })).deletedCount, 0);
      });
    });
  }
}

function defineModels(connection: mongoose.Connection) {
  const product = new mongoose.Schema(
    {
      sku: { type: String, required: true, unique: true },
      name: String,
      category: String,
      active: { type: Boolean, default: true },
      price: { amount: Number, currency: String },
      tags: [String],
      stock: {
        available: { type: Number, default: 0 },
        holds: [new mongoose.Schema({ order: String, quantity: Number }, { _id: false })],
      },
      expiresAt: Date,
    },
    { timestamps: true, optimisticConcurrency: true },
  );
  product.index({ category: 1, createdAt: -1 });
  product.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });
  const event = new mongoose.Schema({ order: String, version: Number, events: [mongoose.Schema.Types.Mixed] });
  event.index({ order: 1, version: 1 }, { unique: true });
  return { Product: connection.model('Product', product), Event: connection.model('Event', event) };
}
