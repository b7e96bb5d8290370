import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '@tradepost/shared/clock';
import { newId } from '@tradepost/shared/ids';
import type { Connection } from 'mongoose';
import { createSessionModel } from '../models/sessionModel.ts';
import { createUserModel, type UserDocument } from '../models/userModel.ts';
import { openTestDatabase, storeUser } from '../testing/database.ts';
import { createSignIn } from './signIn.ts';

let database: { connection: Connection; close(): Promise<void> };
before(async () => {
  database = await openTestDatabase();
});
after(() => database.close());

test('a password changed or an account deleted while it was checked opens no session', async () => {
  const users = createUserModel(database.connection);
  const sessions = createSessionModel(database.connection);
  const signIn = createSignIn({ users, sessions, signAccessToken: () => 'token', clock: systemClock, newId });
  const attempt = async (meanwhile: Partial<UserDocument>) => {
    const user = await storeUser(users, { credentials: 1 });
    await users.updateOne({ _id: user._id }, { $set: meanwhile });
    const signedIn = await signIn(user, null);
    return { signedIn: signedIn !== undefined, sessions: await sessions.countDocuments({ userId: user._id }) };
  };
  assert.deepEqual(await attempt({ credentials: 2 }), { signedIn: false, sessions: 0 });
  assert.deepEqual(await attempt({ deletedAt: new Date() }), { signedIn: false, sessions: 0 });
  assert.deepEqual(await attempt({ name: 'Other' }), { signedIn: true, sessions: 1 });
});
