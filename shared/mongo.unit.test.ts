import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import mongoose from 'mongoose';
import { createConnection, DatabaseUnavailableError, isDatabaseUnavailable } from './mongo.ts';

const { mongo } = mongoose;

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
  ];
  for (const [name, error] of errors) {
    test(`is known by ${name}`, () => assert.equal(isDatabaseUnavailable(error), true));
  }

  const others: [string, unknown][] = [
    ['a duplicate key', new mongo.MongoServerError({ message: 'E11000', code: 11_000 })],
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
