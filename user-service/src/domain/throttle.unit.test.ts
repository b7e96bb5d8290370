import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureWindowMs, maxFailures, secondsUntilAttempt } from './throttle.ts';

const now = new Date('2026-01-01T12:00:00.000Z');
const ago = (ms: number) => new Date(now.getTime() - ms);
const failures = (count: number, oldestMs: number) =>
  Array.from({ length: count }, (_, index) => ago(oldestMs - index));

test('fewer than ten failures leave attempts free', () => {
  assert.equal(secondsUntilAttempt([], now), 0);
  assert.equal(secondsUntilAttempt(failures(maxFailures - 1, 1_000), now), 0);
});

test('ten failures block until the oldest is 15 minutes old', () => {
  assert.equal(secondsUntilAttempt(failures(maxFailures, 1_000), now), 899);
  assert.equal(secondsUntilAttempt(failures(maxFailures, failureWindowMs - 1), now), 1);
  assert.equal(secondsUntilAttempt(failures(maxFailures, failureWindowMs), now), 0);
  assert.equal(secondsUntilAttempt(failures(maxFailures, failureWindowMs + 5_000), now), 0);
});
