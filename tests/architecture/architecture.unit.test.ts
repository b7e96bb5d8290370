import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  dependencyViolations,
  executionViolations,
  importViolations,
  lengthViolations,
  purityViolations,
  services,
  typeEscapes,
} from './rules.ts';
import { root, type SourceFile, sourceFiles } from './sourceFiles.ts';

const files = sourceFiles();
const byPath = new Map(files.map(file => [file.path, file]));

const planted = (path: string, ...lines: string[]): SourceFile => ({ path, text: `${lines.join('\n')}\n` });

describe('imports run one way', () => {
  test('in every file', () => {
    assert.ok(files.length > 100, 'the files were found');
    assert.deepEqual(files.flatMap(importViolations), []);
  });

  const wrong: [string, SourceFile][] = [
    [
      'a service imports another',
      planted('order-service/src/app.ts', "import { a } from '../../user-service/src/app.ts';"),
    ],
    [
      '… by its package name',
      planted('order-service/src/app.ts', "import { a } from '@tradepost/user-service/src/app';"),
    ],
    ['shared/ imports a service', planted('shared/a.ts', "export * from '../gateway/src/app.ts';")],
    ['a service imports local/', planted('gateway/src/app.ts', "import { a } from '@tradepost/local/startShop';")],
    ['… when it runs', planted('gateway/src/app.ts', "const a = await import('@tradepost/local/startShop');")],
    ['a service imports tests/', planted('gateway/src/app.ts', "import '../../tests/run.ts';")],
    [
      'a controller imports a model',
      planted('order-service/src/controllers/a.ts', "import { m } from '../models/m.ts';"),
    ],
    ['a model imports a use case', planted('order-service/src/models/a.ts', "import { s } from '../services/s.ts';")],
    ['only a type', planted('order-service/src/models/a.ts', "import type { S } from '../services/s.ts';")],
    [
      'names over several lines',
      planted('order-service/src/domain/a.ts', 'import {', '  type S,', '  t,', "} from '../services/s.ts';"),
    ],
    [
      'what is shipped imports what is for tests',
      planted('gateway/src/app.ts', "import { s } from './standIns.testing.ts';"),
    ],
    ['a file outside the layers', planted('order-service/src/helpers/a.ts', "import { s } from '../services/s.ts';")],
  ];
  for (const [name, file] of wrong) {
    test(`the check finds: ${name}`, () => assert.equal(importViolations(file).length, 1));
  }

  test('the check lets tests use local/ and their own service', () => {
    const file = planted(
      'order-service/src/a.int.test.ts',
      "import { t } from '@tradepost/local/testing';",
      "import './app.ts';",
    );
    assert.deepEqual(importViolations(file), []);
  });
});

describe('domain/ does no I/O', () => {
  test('in every service', () => {
    assert.ok(
      files.some(file => file.path.startsWith('order-service/src/domain/')),
      'there is a domain',
    );
    assert.deepEqual(
      files.flatMap(file => purityViolations(file, byPath)),
      [],
    );
  });

  test('the check finds a driver behind two imports, and lets its type pass', () => {
    const domain = planted('order-service/src/domain/a.ts', "import { b } from './b.ts';");
    const near = planted('order-service/src/domain/b.ts', "import { c } from '@tradepost/shared/c';");
    const far = planted('shared/c.ts', "import mongoose from 'mongoose';");
    const tree = new Map([near, far].map(file => [file.path, file]));
    assert.deepEqual(purityViolations(domain, tree), [
      'order-service/src/domain/a.ts → order-service/src/domain/b.ts → shared/c.ts → mongoose: domain/ does no I/O',
    ]);
    const harmless = planted('shared/c.ts', "import type { Model } from 'mongoose';");
    assert.deepEqual(purityViolations(domain, new Map([near, harmless].map(file => [file.path, file]))), []);
  });
});

describe('the gateway, the services and shared/ run no other program, and no text as code', () => {
  test('in every file', () => assert.deepEqual(files.flatMap(executionViolations), []));

  test('the check finds either', () => {
    for (const line of [
      "import { exec } from 'node:child_process';",
      "const vm = await import('node:vm');",
      'eval(text);',
      'const f = new Function(text);',
    ]) {
      assert.equal(executionViolations(planted('shared/a.ts', line)).length, 1, line);
      assert.equal(executionViolations(planted('local/a.ts', line)).length, 0, line);
    }
  });
});

describe('files stay short', () => {
  test('none has more than 300 lines', () => assert.deepEqual(files.flatMap(lengthViolations), []));

  test('the check finds one with 301', () => {
    assert.equal(lengthViolations(planted('shared/long.ts', ...Array(301).fill('//'))).length, 1);
    assert.equal(lengthViolations(planted('shared/long.ts', ...Array(300).fill('//'))).length, 0);
  });
});

describe('packages are declared where they are used', () => {
  const names = (folder: string, part = 'dependencies') =>
    Object.keys(JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))[part] ?? {});
  const shared = names('shared');
  const declared = new Map([...services, 'shared'].map(folder => [folder, new Set([...names(folder), ...shared])]));
  // local/ never runs without the root's own tools.
  declared.set('local', new Set([...names('local'), ...shared, ...names('.', 'devDependencies')]));

  test('in every service, shared/ and local/', () => {
    assert.deepEqual(
      files.flatMap(file => dependencyViolations(file, declared)),
      [],
    );
  });

  test('the check finds one that is not', () => {
    const file = planted('gateway/src/app.ts', "import x from 'left-pad';");
    assert.equal(dependencyViolations(file, declared).length, 1);
  });
});

/** Files that may leave the type system somewhere, and why. */
const reasons: Record<string, string> = {
  'bench/peers/medusa.ts': 'answers of a shop that is not ours',
  'bench/peers/vendure.ts': 'answers of a shop that is not ours',
  'local/store/conformance/servers.ts': "the driver's own documents are any",
  'local/testing.ts': 'tests look into answers of every shape',
  'order-service/src/standIns.testing.ts': 'bodies of nine operations in one place',
  'shared/groupedReads.ts': "mongoose's Model is invariant in its document",
  'shared/groupedUpdates.ts': "mongoose's Model is invariant in its document",
  'shared/messaging/outbox.ts': "mongoose's Model is invariant in its document",
  'shared/messaging/outboxDocuments.ts': "mongoose's Model is invariant in its document",
};

describe('types are not escaped', () => {
  const own = 'tests/architecture/';

  test('but where there is a reason', () => {
    const escaping = files.filter(file => !file.path.startsWith(own) && typeEscapes(file).length > 0);
    assert.deepEqual(escaping.map(file => file.path).sort(), Object.keys(reasons).sort());
  });

  test('the check finds a silenced compiler', () => {
    assert.equal(typeEscapes(planted('shared/a.ts', '// @ts-expect-error because', 'f();')).length, 1);
  });

  test('the linter refuses any, and promises that nobody waits for', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tradepost-lint-'));
    try {
      copyFileSync(join(root, 'biome.json'), join(folder, 'biome.json'));
      writeFileSync(
        join(folder, 'planted.ts'),
        'async function work(): Promise<void> {}\nwork();\nexport const anything: any = 1;\n',
      );
      const lint = spawnSync(join(root, 'node_modules', '.bin', 'biome'), ['lint', '--vcs-enabled=false', folder], {
        cwd: folder,
        encoding: 'utf8',
      });
      assert.equal(lint.status, 1);
      assert.match(lint.stdout + lint.stderr, /noFloatingPromises/);
      assert.match(lint.stdout + lint.stderr, /noExplicitAny/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test('npm scripts run on Node 24, whatever the machine has', () => {
  const version = execFileSync('npm', ['run', '--silent', 'versions'], { cwd: root, encoding: 'utf8' });
  assert.match(version, /^v24\./);
});
