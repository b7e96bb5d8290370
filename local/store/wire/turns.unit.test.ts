import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTurns, type Transaction } from './turns.ts';

/** A transaction that remembers what was made durable. */
function createLog(commitFails: () => boolean) {
  let open: string[] | undefined;
  const durable: string[] = [];
  const transaction: Transaction = {
    inTransaction: () => open !== undefined,
    commit() {
      if (!open) return;
      const written = open;
      open = undefined;
      if (commitFails()) throw new Error('disk full');
      durable.push(...written);
    },
    rollback() {
      open = undefined;
    },
  };
  const write = (what: string) => {
    open ??= [];
    open.push(what);
  };
  return { transaction, write, durable };
}

/** Submits jobs at once and resolves to what each was told. */
function outcomes(turns: ReturnType<typeof createTurns>, jobs: (() => void)[]): Promise<string[]> {
  return Promise.all(
    jobs.map(
      run =>
        new Promise<string>(resolve => {
          turns.submit({
            run,
            done: () => resolve('done'),
            failed: error => resolve(`failed: ${(error as Error).message}`),
          });
        }),
    ),
  );
}

describe('turns', () => {
  it('commit what arrived together once, before anybody is told', async () => {
    let commits = 0;
    const { transaction, write, durable } = createLog(() => {
      commits++;
      return false;
    });
    const turns = createTurns(transaction);
    const told: string[][] = [];
    const jobs = ['a', 'b', 'c'].map(
      name =>
        new Promise<void>(resolve => {
          turns.submit({
            run: () => write(name),
            done: () => {
              told.push([...durable]);
              resolve();
            },
            failed: () => resolve(),
          });
        }),
    );
    await Promise.all(jobs);
    assert.equal(commits, 1);
    assert.deepEqual(told, Array(3).fill(['a', 'b', 'c']));
  });

  it('fail all since the first write when the commit fails, and keep nothing', async () => {
    const { transaction, write, durable } = createLog(() => true);
    const read = () => {};
    const told = await outcomes(createTurns(transaction), [read, () => write('a'), read, () => write('b')]);
    assert.deepEqual(told, ['done', 'failed: disk full', 'failed: disk full', 'failed: disk full']);
    assert.deepEqual(durable, []);
  });

  it('fail the job that breaks and those that share its transaction, and go on with the rest', async () => {
    const { transaction, write, durable } = createLog(() => false);
    const broken = () => {
      write('half');
      throw new Error('broken');
    };
    const told = await outcomes(createTurns(transaction), [() => {}, () => write('a'), broken, () => write('b')]);
    assert.deepEqual(told, ['done', 'failed: broken', 'failed: broken', 'done']);
    assert.deepEqual(durable, ['b']);
  });

  it('fail only the job that breaks when nothing was written', async () => {
    const { transaction } = createLog(() => false);
    const broken = () => {
      throw new Error('broken');
    };
    const told = await outcomes(createTurns(transaction), [() => {}, broken, () => {}]);
    assert.deepEqual(told, ['done', 'failed: broken', 'done']);
  });

  it('keep the order, also over several turns', async () => {
    const { transaction, write, durable } = createLog(() => false);
    const slow = (i: number) => () => {
      const until = performance.now() + 3;
      while (performance.now() < until);
      write(String(i));
    };
    const names = Array.from({ length: 30 }, (_, i) => i);
    await outcomes(createTurns(transaction), names.map(slow));
    assert.deepEqual(durable, names.map(String));
  });
});
