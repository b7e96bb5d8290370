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

/**
 * How many points of levels 1 and 2 each section of ASVS 5.0.0 has; those of level 3 come last. Counted from its table
 * (5.0/docs_en), by chapter: 70 of level 1 and 183 of level 2.
 */
const points: readonly (readonly number[])[] = [
  ...[
    [2, 9, 11, 3, 2],
    [3, 3, 4, 1],
    [0, 2, 4, 6, 5, 0, 2],
    [3, 1, 2, 4],
    [1, 3, 2, 3],
    [3, 12, 4, 4, 5, 3, 0, 4],
  ],
  ...[
    [3, 4, 2, 5, 2, 2],
    [2, 3, 1, 1],
    [3, 4],
    [2, 2, 4, 11, 5, 2, 3],
    [2, 3, 3, 4, 1, 1, 0],
    [3, 2, 4],
    [1, 5, 2, 5],
  ],
  ...[
    [2, 4, 3],
    [3, 3, 7, 0],
    [1, 5, 4, 3, 3],
    [1, 4, 2],
  ],
];
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const applicable = points.flatMap((sections, chapter) =>
  sections.flatMap((count, section) => upTo(count).map(point => `${chapter + 1}.${section + 1}.${point}`)),
);

/** Points, sections and chapters that are named in brackets below the tables: `(1.2.6 to 1.2.8, 3.3)`. */
const named = [...text.slice(text.indexOf('## Left to')).matchAll(/\(([\d.,\sto]+)(?:, level 3)?\)/g)].flatMap(
  ([, list = '']) =>
    list.split(',').flatMap(part => {
      const [from = '', to] = part.split('to').map(one => one.trim());
      const [section, first] = [from.slice(0, from.lastIndexOf('.')), Number(from.split('.').at(-1))];
      return to === undefined
        ? from
        : upTo(Number(to.split('.').at(-1)))
            .slice(first - 1)
            .map(point => `${section}.${point}`);
    }),
);

describe('the list of risks in docs/security.md', () => {
  test('names each of the ten, and each point once', () => {
    const ids = rows.flatMap(([, id]) => id?.split(', '));
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

  test('or says why not, for each point of levels 1 and 2', () => {
    assert.equal(applicable.length, 70 + 183);
    const listed = new Set([...rows.flatMap(([, id]) => id?.split(', ') ?? []), ...named]);
    const isListed = (id: string) => {
      const [chapter = '', section = ''] = id.split('.');
      return listed.has(id) || listed.has(`${chapter}.${section}`) || listed.has(chapter);
    };
    assert.deepEqual(
      applicable.filter(id => !isListed(id)),
      [],
    );
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
