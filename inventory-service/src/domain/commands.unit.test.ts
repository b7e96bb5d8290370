import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { adjust, commit, expire, giveBack, pin, release, reserve, type StockCommand } from './commands.ts';
import type { Decision, Movement, Stock } from './stock.ts';

const at = new Date('2026-11-22T12:00:00.000Z');
const later = new Date('2026-11-22T12:15:00.000Z');
const stockOf = (onHand: number): Stock => ({ onHand, reserved: 0, seq: 1, holds: [], releasedOrders: [] });
const hold = (orderId: string, quantity: number, holdId = `h-${orderId}`) =>
  reserve({ orderId, quantity, holdId, expiresAt: later });

/** Decides one command after the other; every movement is known to the later ones. */
function run(stock: Stock, ...commands: StockCommand<unknown>[]): Decision<unknown> & { all: Movement[] } {
  const all: Movement[] = [];
  let last: Decision<unknown> = { stock, movements: [], outcome: undefined };
  for (const command of commands) {
    last = command.decide(last.stock, { at, movements: all });
    all.push(...last.movements);
  }
  return { ...last, all };
}

describe('reserve', () => {
  it('holds pieces and records the movement', () => {
    const { stock, movements, outcome } = run(stockOf(5), hold('o1', 3));
    assert.deepEqual(outcome, { kind: 'held', holdId: 'h-o1', quantity: 3 });
    assert.deepEqual(movements, [
      {
        ...{ id: 'reserve:h-o1', seq: 2, type: 'reserve', quantity: 3, orderId: 'o1', holdId: 'h-o1' },
        ...{ onHandAfter: 5, reservedAfter: 3, at },
      },
    ]);
    assert.deepEqual(stock.holds, [{ id: 'h-o1', orderId: 'o1', quantity: 3, pinned: false, expiresAt: later }]);
    assert.deepEqual([stock.onHand, stock.reserved, stock.seq], [5, 3, 2]);
  });

  it('answers the hold that is there when it is repeated', () => {
    const first = run(stockOf(5), hold('o1', 3));
    const again = run(first.stock, hold('o1', 3, 'another'));
    assert.deepEqual(again.outcome, { kind: 'again', holdId: 'h-o1', quantity: 3 });
    assert.deepEqual([again.stock, again.movements], [first.stock, []]);
  });

  it('takes the last piece and refuses one more', () => {
    assert.deepEqual(run(stockOf(3), hold('o1', 3)).outcome, { kind: 'held', holdId: 'h-o1', quantity: 3 });
    assert.deepEqual(run(stockOf(3), hold('o1', 2), hold('o2', 2)).outcome, { kind: 'short', available: 1 });
  });

  it('is refused for a released order', () => {
    assert.deepEqual(run(stockOf(3), release('o1'), hold('o1', 1)).outcome, { kind: 'released' });
  });
});

describe('pin', () => {
  it('keeps the named hold from expiring', () => {
    const { stock, movements } = run(stockOf(5), hold('o1', 3), pin('o1', 'h-o1'));
    assert.deepEqual(stock.holds, [{ id: 'h-o1', orderId: 'o1', quantity: 3, pinned: true, expiresAt: null }]);
    assert.deepEqual(movements, []);
    assert.equal(expire().decide(stock, { at: later, movements: [] }).outcome, 0);
  });

  it('is good when repeated, and gone when the hold is another one', () => {
    assert.equal(run(stockOf(5), hold('o1', 3), pin('o1', 'h-o1'), pin('o1', 'h-o1')).outcome, 'pinned');
    assert.equal(run(stockOf(5), hold('o1', 3), pin('o1', 'older')).outcome, 'gone');
    assert.equal(run(stockOf(5), hold('o1', 3), pin('o2', 'h-o1')).outcome, 'gone');
  });
});

describe('commit', () => {
  const sold = [hold('o1', 3), pin('o1', 'h-o1'), commit('o1', 'h-o1')];

  it('sells a pinned hold once', () => {
    const { stock, outcome, movements } = run(stockOf(5), ...sold);
    assert.equal(outcome, 'sold');
    assert.deepEqual([stock.onHand, stock.reserved, stock.holds.length], [2, 0, 0]);
    assert.equal(movements[0]?.id, 'commit:h-o1');
    const again = run(stockOf(5), ...sold, commit('o1', 'h-o1'));
    assert.deepEqual([again.outcome, again.stock.onHand], ['again', 2]);
  });

  it('does not sell what is not pinned or not named', () => {
    assert.equal(run(stockOf(5), hold('o1', 3), commit('o1', 'h-o1')).outcome, 'gone');
    assert.equal(run(stockOf(5), hold('o1', 3), pin('o1', 'h-o1'), commit('o1', 'older')).outcome, 'gone');
    assert.equal(run(stockOf(5), commit('o1', 'h-o1')).outcome, 'gone');
  });

  it('asks for the ledger only without the hold', () => {
    const { stock } = run(stockOf(5), hold('o1', 3), pin('o1', 'h-o1'));
    assert.equal(commit('o1', 'h-o1').historyOf?.(stock), undefined);
    assert.equal(commit('o1', 'older').historyOf?.(stock), 'o1');
  });

  it('has sold what was returned since', () => {
    assert.equal(run(stockOf(5), ...sold, release('o1'), commit('o1', 'h-o1')).outcome, 'again');
  });
});

describe('release', () => {
  it('gives back a hold, pinned or not, and leaves those of others', () => {
    const { stock } = run(stockOf(9), hold('o1', 3), hold('o2', 2), pin('o1', 'h-o1'), release('o1'));
    assert.deepEqual([stock.onHand, stock.reserved], [9, 2]);
    assert.deepEqual(
      stock.holds.map(({ orderId }) => orderId),
      ['o2'],
    );
  });

  it('gives back both a sold piece and a later hold, each once', () => {
    const history = [hold('o1', 3), pin('o1', 'h-o1'), commit('o1', 'h-o1'), hold('o1', 3, 'late')];
    const { stock, movements } = run(stockOf(9), ...history, release('o1'));
    assert.deepEqual(
      movements.map(({ id }) => id),
      ['release:late', 'return:h-o1'],
    );
    assert.deepEqual([stock.onHand, stock.reserved, stock.holds.length], [9, 0, 0]);
    const again = run(stockOf(9), ...history, release('o1'), release('o1'));
    assert.deepEqual([again.stock.onHand, again.movements.length], [9, 0]);
  });

  it('returns every sale of the order', () => {
    const history = ['a', 'b'].flatMap(id => [hold('o1', 2, id), pin('o1', id), commit('o1', id)]);
    const { stock, movements } = run(stockOf(9), ...history, hold('o2', 1), release('o1'));
    assert.deepEqual([stock.onHand, stock.reserved, movements.length], [9, 1, 2]);
  });

  it('counts a movement once that is known twice', () => {
    const sale = run(stockOf(9), hold('o1', 2), pin('o1', 'h-o1'), commit('o1', 'h-o1'));
    const twice = release('o1').decide(sale.stock, { at, movements: [...sale.all, ...sale.all] });
    assert.equal(twice.stock.onHand, 9);
  });

  it('remembers the last hundred released orders', () => {
    const { stock } = run(
      stockOf(1),
      ...Array.from({ length: 130 }, (_, index) => release(`o${index}`)),
      release('o30'),
    );
    assert.equal(stock.releasedOrders.length, 100);
    assert.equal(stock.releasedOrders[0], 'o30');
    assert.deepEqual(run(stock, hold('o29', 1)).outcome, { kind: 'held', holdId: 'h-o29', quantity: 1 });
  });
});

describe('giveBack', () => {
  it('takes back the named hold unless it is pinned', () => {
    assert.deepEqual(run(stockOf(5), hold('o1', 3), giveBack('h-o1')).stock.reserved, 0);
    assert.deepEqual(run(stockOf(5), hold('o1', 3), giveBack('older')).stock.reserved, 3);
    assert.deepEqual(run(stockOf(5), hold('o1', 3), pin('o1', 'h-o1'), giveBack('h-o1')).stock.reserved, 3);
  });
});

describe('expire', () => {
  it('ends what is over and leaves what is not', () => {
    const young = reserve({ orderId: 'o3', quantity: 1, holdId: 'young', expiresAt: new Date(later.getTime() + 1) });
    const { stock } = run(stockOf(9), hold('o1', 3), hold('o2', 2), pin('o2', 'h-o2'), young);
    const { stock: after, movements, outcome } = expire().decide(stock, { at: later, movements: [] });
    assert.equal(outcome, 1);
    assert.deepEqual(
      movements.map(({ id, orderId, quantity }) => [id, orderId, quantity]),
      [['expire:h-o1', 'o1', 3]],
    );
    assert.deepEqual([after.onHand, after.reserved, after.holds.length], [9, 3, 2]);
  });
});

describe('adjust', () => {
  const limit = 100;

  it('counts anew and adds', () => {
    const counted = run(stockOf(5), adjust('a1', { onHand: 8 }, limit));
    assert.deepEqual([counted.stock.onHand, counted.movements[0]?.quantity], [8, 3]);
    const added = run(stockOf(5), adjust('a2', { adjustBy: -2, reason: 'broken' }, limit));
    assert.deepEqual([added.stock.onHand, added.movements[0]?.quantity, added.movements[0]?.reason], [3, -2, 'broken']);
    assert.equal(added.movements[0]?.id, 'adjust:a2');
  });

  it('goes down to what is reserved and not below', () => {
    assert.deepEqual(run(stockOf(5), hold('o1', 3), adjust('a', { onHand: 3 }, limit)).outcome, { kind: 'adjusted' });
    const refused = run(stockOf(5), hold('o1', 3), adjust('a', { adjustBy: -3, reason: 'x' }, limit));
    assert.deepEqual(refused.outcome, { kind: 'refused', stock: refused.stock, wanted: 2 });
    assert.equal(refused.stock.onHand, 5);
  });

  it('refuses more than the largest stock and records nothing for no change', () => {
    assert.deepEqual(run(stockOf(5), adjust('a', { onHand: 101 }, limit)).movements, []);
    assert.deepEqual(run(stockOf(5), adjust('a', { onHand: 5 }, limit)).movements, []);
  });
});
