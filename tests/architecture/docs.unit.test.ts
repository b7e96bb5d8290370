import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { services } from './rules.ts';
import { root } from './sourceFiles.ts';

const pages = [
  'README.md',
  'docs/architecture.md',
  'docs/capacity.md',
  'docs/security.md',
  'docs/metrics.md',
  'docs/operations.md',
  'docs/runbook.md',
  'docs/operations.md',
  ...readdirSync(join(root, 'docs', 'decisions')).map(name => `docs/decisions/${name}`),
];
const folders = [...services, 'shared', 'local', 'tests', 'docs'];
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

describe('what the documents name is there', () => {
  for (const page of pages) {
    const text = readFileSync(join(root, page), 'utf8');

    test(`files in ${page}`, () => {
      const named = [...text.matchAll(/`([\w.-]+\/[\w./-]*)`/g)].map(match => match[1] ?? '');
      const own = named.filter(path => folders.includes(path.split('/', 1)[0] ?? ''));
      assert.deepEqual(
        own.filter(path => !existsSync(join(root, path))),
        [],
      );
    });

    test(`links in ${page}`, () => {
      const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(match => match[1] ?? '');
      const own = links.filter(link => !/^[a-z]+:/.test(link));
      assert.deepEqual(
        own.filter(link => !existsSync(join(root, dirname(page), link))),
        [],
      );
    });

    test(`npm scripts in ${page}`, () => {
      const named = [...text.matchAll(/`npm run ([\w:-]+)/g)].map(match => match[1] ?? '');
      assert.deepEqual(
        named.filter(name => !(name in scripts)),
        [],
      );
    });
  }
});
