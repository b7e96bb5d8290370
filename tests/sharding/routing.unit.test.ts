import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Operation } from './operations.ts';
import { indexFaults, routeOf } from './routing.ts';

const key = { userId: 'hashed', _id: 1 } as const;
const operation = (command: string, writes: Operation['writes'], filter: Operation['filter']): Operation => ({
  ...{ database: 'd', collection: 'c', command, writes, filter },
});

describe('a router', () => {
  const cases: [what: string, Operation, ReturnType<typeof routeOf>][] = [
    ['one value of the first field', operation('find', 'none', { userId: 'u' }), 'targeted'],
    ['some values of it', operation('find', 'none', { userId: { $in: ['u', 'v'] } }), 'targeted'],
    ['inside of $and', operation('aggregate', 'none', { $and: [{ a: 1 }, { userId: { $eq: 'u' } }] }), 'targeted'],
    ['a range of a hashed field', operation('find', 'none', { userId: { $gt: 'u' } }), 'scattered'],
    ['one branch of $or', operation('find', 'none', { $or: [{ userId: 'u' }, { a: 1 }] }), 'scattered'],
    ['only a later field', operation('find', 'none', { _id: 'o' }), 'scattered'],
    ['many documents of some users', operation('update', 'many', { userId: { $in: ['u'] } }), 'targeted'],
    ['many documents of anybody', operation('delete', 'many', { status: 'x' }), 'scattered'],
    ['one document by the whole key', operation('update', 'one', { userId: 'u', _id: 'o', version: 1 }), 'targeted'],
    ['one document by its id', operation('update', 'one', { _id: 'o' }), 'scattered'],
    ['one document by a part of the key', operation('update', 'one', { userId: 'u' }), 'refused'],
    ['findAndModify by the id', operation('findAndModify', 'one', { _id: 'o' }), 'refused'],
    ['findAndModify by some ids', operation('findAndModify', 'one', { userId: 'u', _id: { $in: ['o'] } }), 'refused'],
    ['a new document', operation('insert', 'one', { userId: 'u', _id: 'o' }), 'targeted'],
    ['a new document without the key', operation('insert', 'one', { _id: 'o' }), 'refused'],
  ];
  for (const [what, given, expected] of cases) {
    test(`${expected}: ${what}`, () => assert.equal(routeOf(given, key), expected));
  }
});

describe('a unique index', () => {
  const index = (...fields: string[]) => ({ key: Object.fromEntries(fields.map(field => [field, 1])), unique: true });

  test('begins with the whole key', () => {
    assert.deepEqual(indexFaults(key, [index('userId', '_id', 'version')]), []);
  });

  for (const fields of [['userId'], ['_id', 'userId'], ['version', 'userId', '_id']]) {
    test(`does not begin with ${fields}`, () => assert.equal(indexFaults(key, [index(...fields)]).length, 1));
  }

  test('may be anything when it is not unique', () => {
    assert.deepEqual(indexFaults(key, [{ key: { a: 1 } }]), []);
  });
});
