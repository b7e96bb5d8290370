import assert from 'node:assert/strict';
import { it } from 'node:test';
import { refused } from './asserts.ts';
import { conformance, type Document } from './servers.ts';

conformance('findAndModify', suite => {
  const run = async (documents: Document[], command: Document) => {
    const c = await suite.collection(documents);
    const answer = await suite.db().command({ findAndModify: c.collectionName, ...command });
    return { c, answer };
  };

  it('answers the document before the update', async () => {
    const { answer } = await run([{ _id: 1, a: 1 }], { query: { _id: 1 }, update: { $inc: { a: 1 } } });
    assert.deepEqual(answer, { lastErrorObject: { n: 1, updatedExisting: true }, value: { _id: 1, a: 1 }, ok: 1 });
  });

  it('answers the document after the update', async () => {
    const { answer } = await run([{ _id: 1, a: 1 }], { query: { _id: 1 }, update: { $inc: { a: 1 } }, new: true });
    assert.deepEqual(answer.value, { _id: 1, a: 2 });
  });

  it('answers null when there is none', async () => {
    const { answer } = await run([], { query: { _id: 1 }, update: { $inc: { a: 1 } } });
    assert.deepEqual(answer, { lastErrorObject: { n: 0, updatedExisting: false }, value: null, ok: 1 });
  });

  it('inserts, answering null or the new document', async () => {
    const update = { $inc: { a: 1 } };
    const { answer, c } = await run([], { query: { _id: 1 }, update, upsert: true });
    assert.deepEqual(answer, { lastErrorObject: { n: 1, updatedExisting: false, upserted: 1 }, value: null, ok: 1 });
    const found = await c.findOneAndUpdate({ _id: 2 }, update, { upsert: true, returnDocument: 'after' });
    assert.deepEqual(found, { _id: 2, a: 1 });
  });

  it('removes and answers what it removed', async () => {
    const { answer, c } = await run([{ _id: 1, a: 1 }], { query: { a: 1 }, remove: true });
    assert.deepEqual(answer, { lastErrorObject: { n: 1 }, value: { _id: 1, a: 1 }, ok: 1 });
    assert.equal(await c.countDocuments(), 0);
    const again = await suite.db().command({ findAndModify: c.collectionName, query: { a: 1 }, remove: true });
    assert.deepEqual(again, { lastErrorObject: { n: 0 }, value: null, ok: 1 });
  });

  it('takes the first in a sort', async () => {
    const documents = [
      { _id: 1, n: 5 },
      { _id: 2, n: 9 },
      { _id: 3, n: 1 },
    ];
    const { answer, c } = await run(documents, { query: {}, sort: { n: -1 }, update: { $set: { hit: 1 } } });
    assert.equal(answer.value._id, 2);
    assert.equal((await c.findOneAndDelete({}, { sort: { n: 1 } }))!._id, 3);
  });

  it('projects the answer', async () => {
    const fields = { a: 1, _id: 0 };
    const { answer } = await run([{ _id: 1, a: 1, b: 2 }], { query: {}, update: { $set: { b: 3 } }, fields });
    assert.deepEqual(answer.value, { a: 1 });
  });

  it('replaces', async () => {
    const c = await suite.collection([{ _id: 1, a: 1 }]);
    assert.deepEqual(await c.findOneAndReplace({ _id: 1 }, { b: 2 }, { returnDocument: 'after' }), { _id: 1, b: 2 });
  });

  it('takes array filters', async () => {
    const c = await suite.collection([{ _id: 1, a: [1, 5] }]);
    const arrayFilters: Document[] = [{ x: { $gt: 3 } }];
    const options = { arrayFilters, returnDocument: 'after' } as const;
    assert.deepEqual(await c.findOneAndUpdate({}, { $set: { 'a.$[x]': 0 } }, options), { _id: 1, a: [1, 0] });
  });

  it('takes the position of the match', async () => {
    const c = await suite.collection([{ _id: 1, a: [{ k: 1 }, { k: 2 }] }]);
    const found = await c.findOneAndUpdate({ 'a.k': 2 }, { $set: { 'a.$.hit': true } }, { returnDocument: 'after' });
    assert.deepEqual(found!.a, [{ k: 1 }, { k: 2, hit: true }]);
  });

  it('takes a pipeline', async () => {
    const c = await suite.collection([{ _id: 1, a: 2 }]);
    const found = await c.findOneAndUpdate({}, [{ $set: { b: { $multiply: ['$a', 3] } } }], {
      returnDocument: 'after',
    });
    assert.deepEqual(found, { _id: 1, a: 2, b: 6 });
  });

  it('leaves the document when the update is refused', async () => {
    const c = await suite.collection([{ _id: 1, a: 'x' }]);
    await refused(c.findOneAndUpdate({ _id: 1 }, { $inc: { a: 1 } }), 14);
    assert.deepEqual(await c.findOne(), { _id: 1, a: 'x' });
  });

  it('is refused for a duplicate', async () => {
    const c = await suite.collection([
      { _id: 1, k: 'a' },
      { _id: 2, k: 'b' },
    ]);
    await c.createIndex({ k: 1 }, { unique: true });
    const error = await refused(c.findOneAndUpdate({ _id: 2 }, { $set: { k: 'a' } }), 11000);
    assert.deepEqual([error.keyPattern, error.keyValue], [{ k: 1 }, { k: 'a' }]);
    assert.equal(error.codeName, 'DuplicateKey');
  });

  const refusals: [Document, string][] = [
    [{ query: {}, remove: true, update: {} }, 'Cannot specify both an update and remove=true'],
    [{ query: {} }, 'Either an update or remove=true must be specified'],
    [{ query: {}, remove: true, upsert: true }, 'Cannot specify both upsert=true and remove=true '],
    [
      { query: {}, remove: true, new: true },
      "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document",
    ],
  ];
  for (const [command, text] of refusals) {
    it(`refuses: ${text}`, async () => {
      await refused(run([{ _id: 1 }], command), 9, text);
    });
  }
});
