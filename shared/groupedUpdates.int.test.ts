import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startTestDatabase } from '@tradepost/local/testing';
import { type Connection, type Model, Schema } from 'mongoose';
import { createGroupedUpdates, type UpdateInGroup } from './groupedUpdates.ts';
import { createConnection, createModel, schemaOptions } from './mongo.ts';

interface Counter {
  _id: string;
  version: number;
}

describe('grouped updates', () => {
  let database: Awaited<ReturnType<typeof startTestDatabase>>;
  let connection: Connection;
  let model: Model<Counter>;
  let updateInGroup: UpdateInGroup;
  before(async () => {
    database = await startTestDatabase();
    connection = createConnection(database.uri('grouped'));
    await connection.asPromise();
    model = createModel<Counter>(connection, 'Counter', new Schema({ _id: String, version: Number }, schemaOptions));
    updateInGroup = createGroupedUpdates(model);
    await model.insertMany(['a', 'b', 'c'].map(_id => ({ _id, version: 1 })));
  });
  after(async () => {
    await connection.close();
    await database.close();
  });

  const raise = (_id: string, version: number) =>
    updateInGroup({ filter: { _id, version }, update: { $set: { version: version + 1 } } });
  const versions = async () => (await model.find().sort({ _id: 1 }).lean()).map(({ version }) => version);

  test('tell each that it matched when all did', async () => {
    assert.deepEqual(await Promise.all([raise('a', 1), raise('b', 1)]), [true, true]);
    assert.deepEqual(await versions(), [2, 2, 1]);
  });

  test('tell none whether it matched when one did not; the others are done', async () => {
    assert.deepEqual(await Promise.all([raise('a', 2), raise('b', 1), raise('c', 1)]), [
      undefined,
      undefined,
      undefined,
    ]);
    assert.deepEqual(await versions(), [3, 2, 2]);
  });

  test('tell one that is alone what became of it', async () => {
    assert.equal(await raise('a', 1), false);
    assert.equal(await raise('a', 3), true);
    assert.deepEqual(await versions(), [4, 2, 2]);
  });

  test('are of unknown outcome, all of them, when the database is away', async () => {
    const away = createConnection('mongodb://127.0.0.1:1/grouped?serverSelectionTimeoutMS=200');
    const update = createGroupedUpdates(createModel<Counter>(away, 'Counter', model.schema));
    const outcomes = await Promise.allSettled(
      ['a', 'b'].map(_id => update({ filter: { _id }, update: { $set: { version: 9 } } })),
    );
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    await away.close();
  });
});
