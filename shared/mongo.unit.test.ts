import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import mongoose from 'mongoose';
import { createConnection, DatabaseUnavailableError, isDatabaseUnavailable } from './mongo.ts';

const { mongo } = mongoose;

const duplicate = { index: 0, code: 11_000, errmsg: 'E11000 duplicate key error' };
/** As a replica set answers that has lost its majority. */
const unconfirmed = { ok: 1, writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' } };

const bulkError = (writeErrors: { code: number }[]): Error =>
  Object.assign(Object.create(mongo.MongoBulkWriteError.prototype), { writeErrors, message: 'bulk' });

describe('a database that is not there', () => {
  const errors: [string, Error][] = [
    ['our own', new DatabaseUnavailableError('late')],
    ['a lost connection', new mongo.MongoNetworkError('connection closed')],
    ['a late answer', new mongo.MongoNetworkTimeoutError('timed out')],
    [
      'a pool that was emptied under its users',
      Object.setPrototypeOf(new Error('interrupted'), mongo.MongoNetworkError.prototype),
    ],
    ['a server that goes down', new mongo.MongoServerError({ message: 'shutdown', code: 91 })],
    ['a server that was interrupted', new mongo.MongoServerError({ message: 'shutdown', code: 11_600 })],
    ...[189, 10_107, 11_602, 13_435, 13_436].map((code): [string, Error] => [
      `a server that is primary no more (${code})`,
      new mongo.MongoServerError({ message: 'not primary', code }),
    ]),
    ['a write that no majority has yet', new mongo.MongoWriteConcernError(unconfirmed)],
    [
      '… and that met a duplicate besides',
      new mongo.MongoWriteConcernError({ ...unconfirmed, writeErrors: [duplicate] }),
    ],
    ['a bulk write that no majority has yet', bulkError([])],
    ['a bulk write whose server stopped being primary', bulkError([{ code: 11_000 }, { code: 11_602 }])],
  ];
  for (const [name, error] of errors) {
    test(`is known by ${name}`, () => assert.equal(isDatabaseUnavailable(error), true));
  }

  const others: [string, unknown][] = [
    ['a duplicate key', new mongo.MongoServerError({ message: 'E11000', code: 11_000 })],
    ['duplicate keys of a bulk write', bulkError([{ code: 11_000 }, { code: 11_000 }])],
    ['a mistake', new TypeError('undefined is not a function')],
    ['what is no error', { name: 'MongoNotConnectedError' }],
  ];
  for (const [name, error] of others) {
    test(`is not ${name}`, () => assert.equal(isDatabaseUnavailable(error), false));
  }

  test('is known by every error that a caller gets from a server that refuses, or hangs', async () => {
    const sockets = new Set<Socket>();
    const server = createServer(socket => void sockets.add(socket));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    for (const uri of ['mongodb://127.0.0.1:9/x', `mongodb://127.0.0.1:${port}/x`]) {
      const connection = createConnection(uri);
      const error = await connection.asPromise().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      assert.equal(isDatabaseUnavailable(error), true, String(error));
      await connection.close();
    }
    for (const socket of sockets) socket.destroy();
    server.close();
  });
});

describe('an address', () => {
  const weak = 'w=0&journal=false&readConcernLevel=available&readPreference=secondary&retryWrites=false';
  for (const uri of ['mongodb://127.0.0.1:9/x', `mongodb://127.0.0.1:9,127.0.0.1:10/x?replicaSet=shop&${weak}`]) {
    test(`does not decide how safe reads and writes are: ${uri}`, async () => {
      const connection = createConnection(uri);
      connection.asPromise().catch(() => {});
      const { writeConcern, readConcern, readPreference, retryWrites, retryReads } = connection.getClient().options;
      assert.deepEqual(
        { ...writeConcern },
        { w: 'majority', journal: true, j: true, wtimeoutMS: 5_000, wtimeout: 5_000 },
      );
      assert.deepEqual([readConcern?.level, readPreference.mode], ['local', 'primary']);
      assert.deepEqual([retryWrites, retryReads], [true, true]);
      await connection.close();
    });
  }
});
