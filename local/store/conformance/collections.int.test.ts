import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ids, refused } from './asserts.ts';
import { conformance, type Document } from './servers.ts';

conformance('collections and databases', suite => {
  it('creates, lists and drops a collection', async () => {
    const db = suite.db();
    await db.command({ create: 'made' });
    await refused(db.command({ create: 'made' }), 48, 'Collection conformance.made already exists.');
    const [found] = await db.listCollections({ name: 'made' }).toArray();
    assert.deepEqual([found!.name, found!.type], ['made', 'collection']);
    assert.deepEqual((found as Document).idIndex, { v: 2, key: { _id: 1 }, name: '_id_' });
    assert.deepEqual(await db.command({ drop: 'made' }), { nIndexesWas: 1, ns: 'conformance.made', ok: 1 });
    assert.deepEqual(await db.listCollections({ name: 'made' }).toArray(), []);
    await refused(db.command({ drop: 'made' }), 26, 'ns not found');
  });

  it('starts anew after a drop', async () => {
    const c = await suite.collection([{ _id: 1, a: 1 }]);
    await c.createIndex({ a: 1 }, { unique: true });
    await c.drop();
    await c.insertMany([
      { _id: 1, a: 1 },
      { _id: 2, a: 1 },
    ]);
    assert.equal((await c.indexes()).length, 1);
  });

  it('keeps databases apart, and drops them', async () => {
    const other = suite.db().client.db('conformance-other');
    const c = await suite.collection([{ _id: 1 }]);
    await other.collection<Document>(c.collectionName).insertOne({ _id: 2 });
    const names = async () => (await suite.db().admin().listDatabases({ nameOnly: true })).databases.map(d => d.name);
    assert.ok((await names()).includes('conformance-other'));
    await other.dropDatabase();
    assert.ok(!(await names()).includes('conformance-other'));
    assert.deepEqual(await ids(c.find()), [1]);
  });

  it('refuses names that cannot be', async () => {
    await refused(suite.db().command({ create: 'a$b' }), 73);
    await refused(suite.db().command({ create: '' }), 73);
    await refused(suite.db().command({ insert: '.a', documents: [{ a: 1 }] }), 73);
  });
});
