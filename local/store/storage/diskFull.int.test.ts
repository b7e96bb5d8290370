import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { BSON } from 'bson';
import { compileExpr, scopeOf } from '../aggregate/expression.ts';
import { encodeError, execute } from '../commands/dispatch.ts';
import { type Engine, openEngine } from '../engine.ts';
import type { Doc } from '../values/value.ts';
import { createTurns } from '../wire/turns.ts';

describe('a full disk', () => {
  let folder: string;
  let engine: Engine;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'full-'));
    engine = openEngine(join(folder, 'full.db'), () => new Date(), {
      expr: e => compileExpr(e, scopeOf(new Date())),
      pipeline: () => doc => doc,
    });
  });
  after(async () => {
    engine.sql.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs commands in one turn and resolves to their answers. */
  function run(...commands: Doc[]): Promise<BSON.Document[]> {
    const transaction = {
      inTransaction: () => engine.sql.inTransaction(),
      commit: () => engine.commit(),
      rollback: () => engine.rollback(),
    };
    const turns = createTurns(transaction, Number.POSITIVE_INFINITY);
    return Promise.all(
      commands.map(
        command =>
          new Promise<BSON.Document>(resolve => {
            let answer: Buffer;
            const request = { id: 1, legacy: false, silent: false, db: 'test', command, sequences: new Map() };
            turns.submit({
              run: () => {
                answer = execute(engine, request, 1);
              },
              done: () => resolve(BSON.deserialize(answer)),
              failed: error => resolve(BSON.deserialize(encodeError(error))),
            });
          }),
      ),
    );
  }

  const insert = (_id: number, text = '') => ({ insert: 'c', documents: [{ _id, text }] });

  it('fails every write of the turn and leaves nothing of it, then goes on', async () => {
    await run({ createIndexes: 'c', indexes: [{ key: { text: 1 }, name: 'text' }] }, insert(1));
    const pages = engine.sql.prepare('PRAGMA page_count').get() as unknown as [number];
    engine.sql.exec(`PRAGMA max_page_count = ${pages[0] + 3}`);

    const answers = await run(
      { count: 'c' },
      insert(2),
      { create: 'made in the same turn' },
      { update: 'c', updates: [{ q: { _id: 1 }, u: { $set: { text: 'changed' } } }] },
      insert(3, 'x'.repeat(200_000)),
    );
    assert.equal(answers[0]!.n, 1);
    for (const { ok, errmsg } of answers.slice(1)) {
      assert.equal(ok, 0);
      assert.match(errmsg, /database or disk is full/);
    }

    engine.sql.exec('PRAGMA max_page_count = 1000000');
    const [found, collections, again, count] = await run(
      { find: 'c', filter: { text: '' } },
      { listCollections: 1, nameOnly: true },
      insert(2, 'later'),
      { count: 'c' },
    );
    assert.deepEqual(found!.cursor.firstBatch, [{ _id: 1, text: '' }]);
    assert.deepEqual(collections!.cursor.firstBatch, [{ name: 'c', type: 'collection' }]);
    assert.equal(again!.n, 1);
    assert.equal(count!.n, 2);
  });
});
