import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId } from '@tradepost/shared/ids';
import { buildIndexes } from '@tradepost/shared/mongo';
import type { Revocation } from '@tradepost/shared/revocations';
import type { Connection } from 'mongoose';
import { createPublishers } from '../events/publishers.ts';
import { createSessionModel } from '../models/sessionModel.ts';
import { openTestDatabase } from '../testing/database.ts';
import { createEndSession } from './endSession.ts';

let database: { connection: Connection; close(): Promise<void> };
before(async () => {
  database = await openTestDatabase();
});
after(() => database.close());

test('of those who end a session at once one does: message stored, refused here without waiting for it', async () => {
  const sessions = createSessionModel(database.connection);
  await buildIndexes(database.connection);
  const clock = () => new Date('2026-01-01T00:00:00.000Z');
  const revoked: Revocation[] = [];
  let woken = 0;
  const endSession = createEndSession({
    sessions,
    revocations: { add: revocation => void revoked.push(revocation) },
    publishers: createPublishers({ clock, newId }),
    wakeRelay: () => {
      woken += 1;
    },
    clock,
  });
  const session = { _id: newId(), userId: 'user', expiresAt: new Date('2026-01-31T00:00:00.000Z') };
  const rest = { familyHash: 'f', secretHash: 's', createdAt: clock(), refreshedAt: clock(), credentials: 1 };
  await sessions.create({ ...session, ...rest });

  const ended = await Promise.all(Array.from({ length: 10 }, () => endSession(session)));
  assert.equal(ended.filter(Boolean).length, 1);
  const expected = { userId: 'user', sessionIds: [session._id], role: null, revokedAt: clock().toISOString() };
  assert.deepEqual(revoked, [expected]);
  assert.equal(woken, 1);
  const stored = await sessions.findById(session._id).lean();
  assert.deepEqual(
    stored?.outbox.map(message => [message.type, message.data]),
    [['user.sessions_revoked', expected]],
  );
  assert.deepEqual(stored?.endedAt, clock());
  assert.deepEqual(stored?.expiresAt, new Date('2026-01-02T00:00:00.000Z'));
});
