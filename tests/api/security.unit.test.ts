import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { root } from '../architecture/sourceFiles.ts';

const text = readFileSync(join(root, 'docs', 'security.md'), 'utf8');
const rows = text
  .split('\n')
  .filter(line => /^\| (API)?\d/.test(line))
  .map(line => line.split('|').map(cell => cell.trim()));

describe('the list of risks in docs/security.md', () => {
  test('names each of the ten, and each point once', () => {
    const ids = rows.map(([, id]) => id);
    assert.deepEqual(
      ids.filter(id => id?.startsWith('API')),
      Array.from({ length: 10 }, (_, index) => `API${index + 1}`),
    );
    assert.deepEqual(
      ids.filter((id, index) => ids.indexOf(id) !== index),
      [],
    );
    assert.ok(ids.length > 90);
  });

  for (const [, id, , , tests = ''] of rows) {
    test(`${id} is covered by tests that are there`, () => {
      const files = [...tests.matchAll(/`([^`]+)`/g)].map(match => match[1] ?? '');
      assert.ok(files.length > 0);
      for (const file of files) {
        assert.match(file, /\.(test|race)\.ts$/);
        assert.ok(existsSync(join(root, file)), file);
      }
    });
  }
});
