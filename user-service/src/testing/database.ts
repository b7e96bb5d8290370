import { startTestDatabase } from '@tradepost/local/testing';
import { newId } from '@tradepost/shared/ids';
import { buildIndexes, createConnection } from '@tradepost/shared/mongo';
import type { Connection } from 'mongoose';
import type { UserDocument, UserModel } from '../models/userModel.ts';

/** A database for use cases without the service around them. */
export async function openTestDatabase(): Promise<{ connection: Connection; close(): Promise<void> }> {
  const database = await startTestDatabase();
  const connection = await createConnection(database.uri('user-service')).asPromise();
  return {
    connection,
    async close() {
      await connection.dropDatabase();
      await connection.close();
      await database.close();
    },
  };
}

/** Builds the indexes and stores an account with some fields of its own. */
export async function storeUser(users: UserModel, fields: Partial<UserDocument> = {}): Promise<UserDocument> {
  await buildIndexes(users.db);
  const _id = newId();
  const user = {
    _id,
    email: `${_id}@example.com`,
    name: 'Ada',
    role: 'customer' as const,
    addresses: [],
    createdAt: new Date(),
    credentials: 1,
    deletedAt: null,
    outbox: [],
    ...fields,
  };
  await users.create(user);
  return user;
}
