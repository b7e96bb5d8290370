import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  backoffMs,
  type CapturedPayment,
  isKeyAlive,
  isTurnedBack,
  type PendingPayment,
  publicStatus,
  type RefundEntry,
} from './payment.ts';

const at = new Date(0);
const base = {
  ...{ _id: 'o1', paymentId: 'p1', cancelling: false, createdAt: at, updatedAt: at, attempts: 0 },
  ...{ userId: 'u1', amount: 1_000, currency: 'GBP', provider: 'simulated' as const },
};
const pending: PendingPayment = { ...base, status: 'pending', token: 'tok_visa' };
const captured = (refunds: RefundEntry[] = [], refunded = 0): CapturedPayment => ({
  ...base,
  ...{ status: 'captured', providerId: 'x', refunds, refunded, left: 0, openRefunds: 0 },
});
const refund = (state: RefundEntry['state']): RefundEntry => ({ id: 'r1', amount: 400, state, at });

describe('public status', () => {
  test('follows what the provider has done, not what was decided', () => {
    assert.equal(publicStatus(pending), 'pending');
    assert.equal(publicStatus({ ...base, status: 'declined', reason: 'card_declined' }), 'declined');
    assert.equal(publicStatus(captured()), 'captured');
    assert.equal(publicStatus(captured([refund('pending')])), 'captured');
    assert.equal(publicStatus(captured([refund('done')], 400)), 'partially_refunded');
    assert.equal(publicStatus(captured([refund('done')], 1_000)), 'refunded');
    assert.equal(publicStatus({ ...captured(), amount: 0 }), 'captured');
  });
});

describe('turned back', () => {
  test('void, cancelled and refunded payments refuse a charge; a declined one says so itself', () => {
    assert.equal(isTurnedBack(pending), false);
    assert.equal(isTurnedBack({ ...pending, cancelling: true }), true);
    assert.equal(isTurnedBack(captured()), false);
    assert.equal(isTurnedBack({ ...captured(), cancelling: true }), true);
    assert.equal(isTurnedBack(captured([refund('pending')])), true);
    assert.equal(isTurnedBack({ ...base, status: 'declined', reason: 'x', cancelling: true }), false);
    assert.equal(isTurnedBack({ ...base, status: 'void', cancelling: true }), true);
  });
});

describe('backoff', () => {
  test('doubles from one second to its limit, the upper half of it by chance', () => {
    assert.deepEqual(
      [1, 2, 3, 4, 5, 99].map(attempts => backoffMs(attempts, 10_000, 0)),
      [500, 1_000, 2_000, 4_000, 5_000, 5_000],
    );
    assert.equal(backoffMs(1, 10_000, 0.999_999), 1_000);
    assert.equal(backoffMs(1, 100, 0.5), 75);
  });
});

describe('life of a key', () => {
  test('ends an hour early', () => {
    const hour = 3_600_000;
    assert.equal(isKeyAlive(at, new Date(23 * hour - 1), 24 * hour), true);
    assert.equal(isKeyAlive(at, new Date(23 * hour), 24 * hour), false);
    assert.equal(isKeyAlive(at, new Date(8.64e15), Number.POSITIVE_INFINITY), true);
  });
});
