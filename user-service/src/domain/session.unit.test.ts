import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endedSessionExpiry, longestSessionMs, refreshTokenMs, sessionExpiry, sessionStands } from './session.ts';

const start = new Date('2026-01-01T00:00:00.000Z');
const after = (ms: number) => new Date(start.getTime() + ms);

test('each refresh token lives 30 days', () => {
  assert.equal(refreshTokenMs, 30 * 24 * 3_600_000);
  assert.deepEqual(sessionExpiry(start, start), after(refreshTokenMs));
  assert.deepEqual(sessionExpiry(start, after(1_000)), after(refreshTokenMs + 1_000));
});

test('no session outlives its longest time, however often it is refreshed', () => {
  assert.deepEqual(sessionExpiry(start, after(longestSessionMs - 1_000)), after(longestSessionMs));
});

test('the record of an ended session goes within a day, and never later than it would have', () => {
  assert.deepEqual(endedSessionExpiry(after(refreshTokenMs), start), after(24 * 3_600_000));
  assert.deepEqual(endedSessionExpiry(after(1_000), start), after(1_000));
});

test('a session stands on the present password or made the last change of it', () => {
  assert.ok(sessionStands({ _id: 'a', credentials: 1 }, { credentials: 1 }));
  assert.ok(!sessionStands({ _id: 'a', credentials: 1 }, { credentials: 2, keptSession: 'b' }));
  assert.ok(sessionStands({ _id: 'b', credentials: 1 }, { credentials: 2, keptSession: 'b' }));
  assert.ok(!sessionStands({ _id: 'b', credentials: 1 }, { credentials: 3, keptSession: 'a' }));
  assert.ok(!sessionStands({ _id: 'a', credentials: 1 }, { credentials: 2, keptSession: null }));
});
