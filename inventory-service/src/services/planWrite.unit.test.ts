import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stockChanged } from '@tradepost/shared/events/inventory';
import type { Message } from '@tradepost/shared/messaging/message';
import { pin, release, reserve, type StockCommand } from '../domain/commands.ts';
import type { StockDocument } from '../models/stock.ts';
import { planWrite } from './planWrite.ts';

const at = new Date('2026-11-22T12:00:00.000Z');
const document: StockDocument = {
  ...{ _id: 'p1', onHand: 20, reserved: 0, seq: 1, holds: [], releasedOrders: [], revision: 'r0' },
  ...{ movements: [], drained: 0, drainClaims: 0, outbox: [], updatedAt: new Date(0) },
};
const hold = (orderId: string) => reserve({ orderId, quantity: 2, holdId: `h-${orderId}`, expiresAt: at });

function planOf(read: StockDocument, ...commands: StockCommand<unknown>[]) {
  let made = 0;
  const newId = () => {
    made += 1;
    return `id${made}`;
  };
  const options = { newId, lowStockThreshold: 5, traceparent: undefined };
  const plan = planWrite(read, commands, { history: read.movements, at }, options);
  return { ...plan, update: plan.update as { $set: Record<string, unknown>; $push: Record<string, unknown> } };
}

describe('planWrite', () => {
  it('writes several commands at once, with one message about the stock', () => {
    const { update, outcomes, next } = planOf(document, hold('o1'), hold('o2'));
    assert.deepEqual(
      outcomes.map(outcome => (outcome as { kind: string }).kind),
      ['held', 'held'],
    );
    assert.deepEqual([next.reserved, next.seq, next.holds.length, next.movements.length], [4, 3, 2, 2]);
    assert.deepEqual(Object.keys(update.$push).sort(), ['holds', 'movements', 'outbox']);
    assert.deepEqual(
      next.outbox.map(({ type, data }) => [type, (data as { version: number }).version]),
      [[stockChanged.type, 3]],
    );
  });

  it('adds holds without writing the others again, and writes all when one changes', () => {
    const { next } = planOf(document, hold('o1'));
    const added = planOf(next, hold('o2'));
    assert.equal('holds' in added.update.$set, false);
    const pinned = planOf(next, hold('o2'), pin('o1', 'h-o1'));
    assert.deepEqual(pinned.update.$set.holds, pinned.next.holds);
    assert.equal('holds' in pinned.update.$push, false);
  });

  it('changes the revision alone when nothing else changes', () => {
    const { next } = planOf(document, hold('o1'));
    const { update, changed, next: after } = planOf(next, hold('o1'));
    assert.deepEqual(update, { $set: { revision: after.revision }, $push: {} });
    assert.equal(changed, false);
  });

  it('writes the message about the stock instead of one that is waiting, and keeps the others', () => {
    const { next } = planOf(document, hold('o1'));
    const other: Message = { ...(next.outbox[0] as Message), id: 'x', type: 'inventory.low_stock' };
    const { update } = planOf({ ...next, outbox: [other, ...next.outbox] }, release('o1'));
    const outbox = update.$set.outbox as Message[];
    assert.deepEqual(
      outbox.map(({ type }) => type),
      [other.type, stockChanged.type],
    );
    assert.equal(((outbox[1] as Message).data as { version: number }).version, 3);
    assert.equal('outbox' in update.$push, false);
  });
});
