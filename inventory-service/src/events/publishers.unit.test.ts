import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lowStock, stockChanged } from '@tradepost/shared/events/inventory';
import { createMessage, type Message, parseMessage } from '@tradepost/shared/messaging/message';
import { expire, reserve, type StockCommand } from '../domain/commands.ts';
import type { Stock } from '../domain/stock.ts';
import { messagesOf, replaceOutdated } from './publishers.ts';

const at = new Date('2026-11-22T12:00:00.000Z');
const stockOf = (onHand: number): Stock => ({ onHand, reserved: 0, seq: 7, holds: [], releasedOrders: [] });
const hold = (quantity: number, orderId = 'o1') =>
  reserve({ orderId, quantity, holdId: `h-${orderId}`, expiresAt: at });

function messagesAfter(before: Stock, command: StockCommand<unknown>): Message[] {
  let next = 0;
  const { stock: after, movements } = command.decide(before, { at, movements: [] });
  const newId = () => {
    next += 1;
    return `m${next}`;
  };
  return messagesOf({
    ...{ productId: 'p1', before, after, movements, lowStockThreshold: 5, newId, at, traceparent: undefined },
  });
}

describe('messagesOf', () => {
  it('tells the stock as it is now, with its number', () => {
    const [message, ...others] = messagesAfter(stockOf(20), hold(3));
    assert.deepEqual(others, []);
    assert.deepEqual(parseMessage(stockChanged, message).data, {
      ...{ productId: 'p1', onHand: 20, reserved: 3, available: 17, low: false, version: 8 },
    });
    assert.deepEqual([message?.subject, message?.source, message?.id], ['p1', '/inventory-service', 'm1']);
  });

  it('says nothing when nothing moved', () => assert.deepEqual(messagesAfter(stockOf(2), hold(3)), []));

  it('warns when the stock falls to its threshold, once', () => {
    const types = (before: Stock, quantity: number) =>
      messagesAfter(before, hold(quantity)).map(({ type }) => type.split('.')[1]);
    assert.deepEqual(types(stockOf(7), 1), ['stock_changed']);
    assert.deepEqual(types(stockOf(6), 1), ['stock_changed', 'low_stock']);
    assert.deepEqual(types(stockOf(9), 9), ['stock_changed', 'low_stock']);
    assert.deepEqual(types(stockOf(5), 1), ['stock_changed']);
    const warning = messagesAfter(stockOf(6), hold(2))[1];
    assert.deepEqual(parseMessage(lowStock, warning).data, { productId: 'p1', available: 4, threshold: 5 });
  });

  it('names every hold that expired', () => {
    const { stock } = hold(3).decide(stockOf(20), { at, movements: [] });
    const messages = messagesAfter(stock, expire());
    assert.deepEqual(
      messages.map(({ type, data }) => [type, type.endsWith('expired') ? data : undefined]),
      [
        ['inventory.stock_changed', undefined],
        ['inventory.reservation_expired', { orderId: 'o1', productId: 'p1', holdId: 'h-o1', quantity: 3 }],
      ],
    );
  });
});

describe('replaceOutdated', () => {
  const changed = (id: string): Message => {
    const data = { productId: 'p1', onHand: 9, reserved: 0, available: 9, low: false, version: 1 };
    return createMessage(stockChanged, { id, source: 'inventory-service', subject: 'p1', at, data });
  };
  const warning: Message = createMessage(lowStock, {
    ...{
      id: 'w',
      source: 'inventory-service',
      subject: 'p1',
      at,
      data: { productId: 'p1', available: 1, threshold: 5 },
    },
  });

  it('leaves an outbox alone that tells nothing outdated', () => {
    assert.equal(replaceOutdated([warning], [changed('a')]), undefined);
    assert.equal(replaceOutdated([changed('a')], []), undefined);
  });

  it('drops what a newer message outdates, and nothing else', () => {
    assert.deepEqual(replaceOutdated([changed('old'), warning], [changed('new')]), [warning, changed('new')]);
  });
});
