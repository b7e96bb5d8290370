import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { validate } from './validate.ts';

const line = z.strictObject({ sku: z.string(), quantity: z.int().min(1) });
const order = z.strictObject({ items: z.array(line).min(1), note: z.string().optional() });

function errorsOf(value: unknown, part = 'body') {
  try {
    validate(order, value, part);
  } catch (error) {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'invalid_request');
    return error.extras.errors;
  }
  return assert.fail('it was taken');
}

test('each unknown field is named where it is', () => {
  assert.deepEqual(errorsOf({ items: [{ sku: 'a', quantity: 1, price: 0, total: 0 }], paid: true }), [
    { path: 'items.0.price', message: 'is not a known field' },
    { path: 'items.0.total', message: 'is not a known field' },
    { path: 'paid', message: 'is not a known field' },
  ]);
});

test('a missing field is said to be required, a wrong one what is wrong', () => {
  const [missing, wrong, ...others] = errorsOf({ items: [{ quantity: 'two' }] }, 'query') ?? [];
  assert.deepEqual(missing, { path: 'query.items.0.sku', message: 'is required' });
  assert.equal(wrong?.path, 'query.items.0.quantity');
  assert.match(String(wrong?.message), /expected number, received string/);
  assert.deepEqual(others, []);
});

test('without a value at all the part itself is what is wrong', () => {
  assert.deepEqual(
    errorsOf(undefined)?.map(({ path }) => path),
    ['body'],
  );
});

test('of very many wrong fields twenty are named', () => {
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, nth) => [`field${nth}`, nth]));
  assert.equal(errorsOf({ items: [{ sku: 'a', quantity: 1 }], ...many })?.length, 20);
});
