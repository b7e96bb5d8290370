import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { auditStock, partsOf, sumsOf } from './audit.ts';
import { adjust, commit, pin, release, reserve, type StockCommand } from './commands.ts';
import { decideAll } from './decideAll.ts';
import { applyMovement, type Movement, nextMovement, type Stock } from './stock.ts';

const at = new Date('2026-11-22T12:00:00.000Z');
const empty: Stock = { onHand: 0, reserved: 0, seq: 0, holds: [], releasedOrders: [] };

/** A stock with some life behind it, and all its movements. */
function lived(): { stock: Stock; movements: Movement[] } {
  const open = nextMovement(empty, 'open', { id: 'open:p', quantity: 20 }, at);
  const hold = (orderId: string, quantity: number) =>
    reserve({ orderId, quantity, holdId: `h-${orderId}`, expiresAt: at });
  const commands: StockCommand<unknown>[] = [
    ...['o1', 'o2'].flatMap(id => [hold(id, 2), pin(id, `h-${id}`), commit(id, `h-${id}`)]),
    release('o1'),
    adjust('a', { adjustBy: -5, reason: 'broken' }, 1_000),
    hold('o3', 4),
  ];
  const { stock, movements } = decideAll(applyMovement(empty, open), commands, [], at);
  return { stock, movements: [open, ...movements] };
}

const codes = (stock: Stock, movements: readonly Movement[]) =>
  auditStock(stock, sumsOf(partsOf(movements))).map(({ code }) => code);

describe('auditStock', () => {
  const { stock, movements } = lived();

  it('finds nothing when all is well', () => assert.deepEqual(codes(stock, movements), []));

  it('finds a changed stock', () => {
    assert.deepEqual(codes({ ...stock, onHand: stock.onHand + 1 }, movements), ['on_hand_differs_from_ledger']);
    assert.deepEqual(codes({ ...stock, reserved: 5 }, movements), [
      'reserved_differs_from_ledger',
      'reserved_differs_from_holds',
    ]);
  });

  it('finds a lost hold and a hold too many', () => {
    assert.deepEqual(codes({ ...stock, holds: [] }, movements), ['reserved_differs_from_holds']);
    const [hold] = stock.holds;
    assert.ok(hold);
    const split = [hold, hold].map(one => ({ ...one, quantity: 2 }));
    assert.deepEqual(codes({ ...stock, holds: split }, movements), ['two_holds_of_one_order']);
  });

  it('finds a lost movement, a doubled one and a wrong number', () => {
    assert.ok(codes(stock, movements.slice(1)).includes('ledger_incomplete'));
    assert.ok(codes(stock, [...movements, ...movements.slice(-1)]).includes('ledger_incomplete'));
    const renumbered = movements.map(one => (one.seq === 3 ? { ...one, seq: 4 } : one));
    assert.deepEqual(codes(stock, renumbered), ['ledger_incomplete']);
  });

  it('finds more reserved than there is', () => {
    const oversold = { ...stock, onHand: 3 };
    assert.ok(codes(oversold, movements).includes('below_zero'));
  });
});
