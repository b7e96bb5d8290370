import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { orderCancelled } from '../events/orders.ts';
import { durableQueues } from './durableQueues.ts';
import { durableQueue, exchangeOf, matchesKey, patternOf, queueName, requireDeclared } from './routing.ts';

test('topic patterns fit keys as AMQP says', () => {
  const cases: [pattern: string, key: string, fits: boolean][] = [
    ['order.created', 'order.created', true],
    ['order.created', 'order.creates', false],
    ['order.*', 'order.created', true],
    ['order.*', 'order', false],
    ['order.*', 'order.created.twice', false],
    ['*.created', 'order.created', true],
    ['#', 'order.created', true],
    ['order.#', 'order', true],
    ['order.#', 'order.created.twice', true],
    ['order.#', 'orders', false],
    ['#.twice', 'order.created.twice', true],
    ['order.#.twice', 'order.twice', true],
    ['order.#.twice', 'order.created.once', false],
    ['*.*', 'order', false],
    ['*.#', 'order', true],
    ['#.*', 'order', true],
    ['order.+', 'order.x', false],
  ];
  for (const [pattern, key, fits] of cases) assert.equal(matchesKey(pattern, key), fits, `${pattern} ${key}`);
});

test('a key fits any pattern made from it by putting * for a word or # for words', () => {
  const word = fc.stringMatching(/^[a-z]{1,3}$/);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(word, fc.constantFrom('word', '*', '#', '##')), { minLength: 1, maxLength: 6 }),
      words => {
        const key = words.map(([one]) => one).join('.');
        const pattern = words.map(([one, how]) => (how === 'word' ? one : how === '##' ? '#.#' : how)).join('.');
        return matchesKey(pattern, key);
      },
    ),
  );
});

test('an interest names its queue', () => {
  assert.deepEqual(patternOf({ message: orderCancelled }), { exchange: 'orders', key: 'order.cancelled' });
  const queue = durableQueue('inventory-service', { pattern: { exchange: 'orders', key: 'order.*' } });
  assert.deepEqual([queueName(queue), queue.exchange], ['inventory-service.order.*', 'orders']);
  assert.throws(() => patternOf({}), TypeError);
});

test('the first word of a type tells its exchange', () => {
  assert.equal(exchangeOf('inventory.low_stock'), 'inventory');
  assert.throws(() => exchangeOf('basket.made'), /no exchange for messages of type basket.made/);
  for (const queue of durableQueues) assert.equal(exchangeOf(queue.key), queue.exchange);
});

test('the table of queues names each once, and refuses others', () => {
  assert.equal(new Set(durableQueues.map(queueName)).size, durableQueues.length);
  requireDeclared(durableQueues, durableQueue('payment-service', { message: orderCancelled }));
  requireDeclared(undefined, durableQueue('user-service', { message: orderCancelled }));
  assert.throws(
    () => requireDeclared(durableQueues, durableQueue('user-service', { message: orderCancelled })),
    TypeError,
  );
});
