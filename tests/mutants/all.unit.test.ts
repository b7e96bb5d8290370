import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { root } from '../architecture/sourceFiles.ts';
import { allMutants } from './all.ts';
import { fits } from './copy.ts';
import { explored } from './mutant.ts';

/** The rules of the order protocol. */
const rules = [...'ABCDEFGHIJKLMNO'];

describe('the planted bugs', () => {
  for (const mutant of allMutants) {
    test(`${mutant.name}: what it replaces is there once`, () => assert.ok(fits(root, mutant)));
  }

  test('have names of their own, and suites that are there', () => {
    assert.deepEqual([...new Set(allMutants.map(one => one.name))].length, allMutants.length);
    const suites = new Set(allMutants.flatMap(one => one.suites).filter(suite => suite !== explored));
    assert.deepEqual(
      [...suites].filter(suite => !existsSync(join(root, suite))),
      [],
    );
  });

  test('undo every rule of the order protocol', () => {
    const undone = new Set(allMutants.map(one => /^([A-O]): /.exec(one.name)?.[1]));
    assert.deepEqual(
      rules.filter(rule => !undone.has(rule)),
      [],
    );
  });
});
