import assert from 'node:assert/strict';
import { it } from 'node:test';
import { conformance, type Document } from './servers.ts';

conformance('$lookup', suite => {
  const orders = [
    { _id: 1, sku: 'a', lines: ['a', 'b'] },
    { _id: 2, sku: 'c' },
    { _id: 3 },
    { _id: 4, sku: null, lines: [] },
    { _id: 5, sku: 'zz' },
  ];
  const products = [
    { _id: 10, sku: 'a', n: 1 },
    { _id: 11, sku: 'b', n: 2 },
    { _id: 12, sku: ['a', 'c'], n: 3 },
    { _id: 13, n: 4 },
    { _id: 14, sku: null, n: 5 },
  ];
  for (const index of [false, true]) {
    const prepared = async () => {
      const [o, p] = [await suite.collection(orders), await suite.collection(products)];
      if (index) await p.createIndex({ sku: 1 });
      return { o, from: p.collectionName };
    };
    const how = index ? 'with an index' : 'without an index';

    it(`joins by equal fields ${how}`, async () => {
      const { o, from } = await prepared();
      const found = await o
        .aggregate([{ $lookup: { from, localField: 'sku', foreignField: 'sku', as: 'p' } }, { $sort: { _id: 1 } }])
        .toArray();
      const joined = found.map(d => [d._id, d.p.map((p: Document) => p._id).toSorted()]);
      assert.deepEqual(joined, [
        [1, [10, 12]],
        [2, [12]],
        [3, [13, 14]],
        [4, [13, 14]],
        [5, []],
      ]);
    });

    it(`joins by the elements of an array ${how}`, async () => {
      const { o, from } = await prepared();
      const found = await o
        .aggregate([
          { $match: { _id: 1 } },
          { $lookup: { from, localField: 'lines', foreignField: 'sku', as: 'p' } },
          { $sort: { _id: 1 } },
        ])
        .toArray();
      assert.deepEqual(
        found.map(d => d.p.map((p: Document) => p._id).toSorted()),
        [[10, 11, 12]],
      );
    });

    it(`joins by a pipeline with variables ${how}`, async () => {
      const { o, from } = await prepared();
      const pipeline = [{ $match: { $expr: { $eq: ['$sku', '$$wanted'] } } }, { $project: { _id: 0, n: 1 } }];
      const found = await o
        .aggregate([{ $match: { _id: 1 } }, { $lookup: { from, let: { wanted: '$sku' }, pipeline, as: 'p.q' } }])
        .toArray();
      assert.deepEqual(found[0]!.p, { q: [{ n: 1 }] });
    });

    it(`joins by equal fields and a pipeline ${how}`, async () => {
      const { o, from } = await prepared();
      const found = await o
        .aggregate([
          { $match: { _id: 1 } },
          {
            $lookup: {
              from,
              localField: 'sku',
              foreignField: 'sku',
              pipeline: [{ $match: { n: { $gt: 1 } } }],
              as: 'p',
            },
          },
        ])
        .toArray();
      assert.deepEqual(
        found[0]!.p.map((p: Document) => p._id),
        [12],
      );
    });
  }

  it('joins with a collection that does not exist', async () => {
    const o = await suite.collection(orders);
    const found = await o
      .aggregate([
        { $match: { _id: 1 } },
        { $lookup: { from: 'nowhere', localField: 'sku', foreignField: 'sku', as: 'p' } },
      ])
      .toArray();
    assert.deepEqual(found[0]!.p, []);
  });
});
