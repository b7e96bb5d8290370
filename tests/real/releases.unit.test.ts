import assert from 'node:assert/strict';
import { test } from 'node:test';
import { root } from '../architecture/sourceFiles.ts';
import { fits } from '../mutants/copy.ts';
import { changes } from './releases.ts';

for (const edit of changes) {
  test(`what the next release changes in ${edit.file} is there once`, () => assert.ok(fits(root, edit), edit.find));
}
