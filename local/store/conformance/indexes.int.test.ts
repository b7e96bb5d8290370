import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ids, refused } from './asserts.ts';
import { conformance, type Document } from './servers.ts';

conformance('index definitions', suite => {
  const create = (name: string, ...indexes: Document[]) => suite.db().command({ createIndexes: name, indexes });

  it('creates the collection with its first index', async () => {
    const answer = await create('fresh', { key: { a: 1 }, name: 'a_1' });
    assert.deepEqual(answer, { numIndexesBefore: 1, numIndexesAfter: 2, createdCollectionAutomatically: true, ok: 1 });
  });

  it('creates an index once', async () => {
    const c = await suite.collection([{ _id: 1 }]);
    await create(c.collectionName, { key: { a: 1 }, name: 'a_1' });
    const answer = await create(c.collectionName, { key: { a: 1 }, name: 'a_1' });
    assert.deepEqual(answer, { numIndexesBefore: 2, numIndexesAfter: 2, note: 'all indexes already exist', ok: 1 });
  });

  it('lists what was created', async () => {
    const c = await suite.collection([{ _id: 1 }]);
    await c.createIndex({ a: 1, 'b.c': -1 }, { unique: true });
    await c.createIndex({ s: 1 }, { sparse: true, name: 'thin' });
    await c.createIndex({ p: 1 }, { partialFilterExpression: { q: { $gt: 5 } } });
    await c.createIndex({ at: 1 }, { expireAfterSeconds: 60 });
    assert.deepEqual(await c.indexes(), [
      { v: 2, key: { _id: 1 }, name: '_id_' },
      { v: 2, key: { a: 1, 'b.c': -1 }, name: 'a_1_b.c_-1', unique: true },
      { v: 2, key: { s: 1 }, name: 'thin', sparse: true },
      { v: 2, key: { p: 1 }, name: 'p_1', partialFilterExpression: { q: { $gt: 5 } } },
      { v: 2, key: { at: 1 }, name: 'at_1', expireAfterSeconds: 60 },
    ]);
  });

  it('drops by name, by key, several, and all', async () => {
    const c = await suite.collection([{ _id: 1 }]);
    for (const key of ['a', 'b', 'c', 'd', 'e']) await c.createIndex({ [key]: 1 });
    const drop = (index: unknown) => suite.db().command({ dropIndexes: c.collectionName, index });
    assert.deepEqual(await drop('a_1'), { nIndexesWas: 6, ok: 1 });
    await drop({ b: 1 });
    await drop(['c_1', 'd_1']);
    assert.deepEqual(
      (await c.indexes()).map(i => i.name),
      ['_id_', 'e_1'],
    );
    assert.equal((await drop('*')).msg, 'non-_id indexes dropped for collection');
    assert.deepEqual(
      (await c.indexes()).map(i => i.name),
      ['_id_'],
    );
    await refused(drop('a_1'), 27, 'index not found with name [a_1]');
    await refused(drop({ a: 1 }), 27, "can't find index with key: { a: 1 }");
    await refused(drop('_id_'), 72, 'cannot drop _id index');
  });

  it('finds the same after an index is dropped', async () => {
    const c = await suite.collection([
      { _id: 1, a: 1 },
      { _id: 2, a: 2 },
    ]);
    await c.createIndex({ a: 1 });
    assert.deepEqual(await ids(c.find({ a: 2 })), [2]);
    await c.dropIndex('a_1');
    assert.deepEqual(await ids(c.find({ a: 2 })), [2]);
  });

  it('knows a namespace that is not there', async () => {
    await refused(suite.db().command({ listIndexes: 'nowhere' }), 26, 'ns does not exist: conformance.nowhere');
    await refused(suite.db().command({ dropIndexes: 'nowhere', index: '*' }), 26, 'ns not found conformance.nowhere');
  });

  const refusals: [string, Document, number, (string | RegExp)?][] = [
    ['another name', { key: { a: 1 }, name: 'other' }, 85, 'Index already exists with a different name: a_1'],
    ['other options', { key: { a: 1 }, name: 'a_1', unique: true }, 86, /^An existing index has the same name/],
    ['another key', { key: { b: 1 }, name: 'a_1' }, 86],
    ['another expiry', { key: { t: 1 }, name: 't_1', expireAfterSeconds: 6 }, 85, /same name but different options/],
    ['no key', { name: 'x' }, 9],
    ['no name', { key: { x: 1 } }, 9],
    ['an empty key', { key: {}, name: 'x' }, 67],
    ['direction 0', { key: { x: 0 }, name: 'x' }, 67],
    ['direction true', { key: { x: true }, name: 'x' }, 67],
    ['a dollar', { key: { $x: 1 }, name: 'x' }, 67],
    ['an unknown option', { key: { x: 1 }, name: 'x', foo: 1 }, 197],
    ['a unique that is text', { key: { x: 1 }, name: 'x', unique: 'yes' }, 14],
    ['a compound TTL', { key: { x: 1, y: 1 }, name: 'x', expireAfterSeconds: 1 }, 67],
    ['a negative TTL', { key: { x: 1 }, name: 'x', expireAfterSeconds: -1 }, 67],
    ['a TTL on _id', { key: { _id: 1 }, name: 'x', expireAfterSeconds: 1 }, 197],
    ['_id downwards', { key: { _id: -1 }, name: 'x' }, 2],
    ['partial and sparse', { key: { x: 1 }, name: 'x', sparse: true, partialFilterExpression: { a: 1 } }, 67],
    ['a partial filter with $ne', { key: { x: 1 }, name: 'x', partialFilterExpression: { a: { $ne: 1 } } }, 67],
    [
      'a partial filter with an unknown operator',
      { key: { x: 1 }, name: 'x', partialFilterExpression: { a: { $f: 1 } } },
      2,
    ],
  ];
  for (const [name, index, code, text] of refusals) {
    it(`refuses ${name}`, async () => {
      const c = await suite.collection([{ _id: 1 }]);
      await create(
        c.collectionName,
        { key: { a: 1 }, name: 'a_1' },
        { key: { t: 1 }, name: 't_1', expireAfterSeconds: 5 },
      );
      await refused(create(c.collectionName, index), code, text);
      assert.equal((await c.indexes()).length, 3);
    });
  }

  it('lets several indexes have one key where their options differ', async () => {
    const c = await suite.collection([{ _id: 1 }]);
    await c.createIndex({ a: 1 });
    await c.createIndex({ a: 1 }, { name: 'unique', unique: true });
    await c.createIndex({ a: 1 }, { name: 'partial', partialFilterExpression: { b: 1 } });
    assert.equal((await c.indexes()).length, 4);
  });
});
