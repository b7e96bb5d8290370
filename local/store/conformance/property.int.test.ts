import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { exact } from './asserts.ts';
import { arbitraries, PLAIN_SCALARS, SCALARS } from './generators.ts';
import { type Collection, type Document, startServer, type TestServer } from './servers.ts';

/** Random statements on two sides that must answer the same. The seed is printed; give it back as CONFORMANCE_SEED. */
const seed = Number(process.env.CONFORMANCE_SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env.CONFORMANCE_RUNS ?? 40);

const RAW = { promoteValues: false, promoteLongs: false, bsonRegExp: true } as const;

/** Side one is the embedded store with indexes; side two a real server, or without one the same store without them. */
describe('random statements', () => {
  let store: TestServer;
  let other: TestServer | undefined;
  let collections = 0;
  before(async () => {
    console.log(`seed ${seed}, ${numRuns} runs`);
    store = await startServer('embedded');
    other = process.env.MONGOD_BIN ? await startServer('mongod') : undefined;
  });
  after(async () => {
    await store.stop();
    await other?.stop();
  });

  async function sides(documents: Document[], indexes: [Document, Document][]): Promise<[Collection, Collection]> {
    const name = `c${++collections}`;
    const one: Collection = store.client.db('random').collection(name);
    const two: Collection = (other ?? store).client.db('random').collection(`${name}_2`);
    const numbered = documents.map((d, i) => ({ _id: i, ...d }));
    await Promise.all([one, two].map(c => c.insertMany(numbered)));
    for (const [key, options] of indexes) {
      const [x, y] = await Promise.all([
        outcome(() => one.createIndex(key, options)),
        other ? outcome(() => two.createIndex(key, options)) : 0,
      ]);
      // Parallel arrays cannot be indexed; both must say so.
      if (other) assert.equal(code(x), code(y), `index ${exact([key, options])}`);
    }
    return [one, two];
  }

  async function same(label: unknown, [one, two]: [Collection, Collection], run: (c: Collection) => Promise<unknown>) {
    const [x, y] = await Promise.all([outcome(() => run(one)), outcome(() => run(two))]);
    assert.equal(x, y, `${exact(label)}`);
  }

  const check = { seed, numRuns, endOnFailure: false } as const;
  const arbitrary = arbitraries(SCALARS);
  const documents = fc.array(arbitrary.document, { minLength: 1, maxLength: 12 });
  const indexes = fc.array(fc.tuple(arbitrary.keys, arbitrary.indexOptions), { maxLength: 3 });

  it('filters find the same documents', async () => {
    const filters = fc.array(arbitrary.filter, { minLength: 8, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(documents, indexes, filters, async (docs, keys, all) => {
        const both = await sides(docs, keys);
        for (const f of all) {
          await same(f, both, async c =>
            (await c.find(f).sort({ _id: 1 }).project({ _id: 1 }).toArray()).map(d => d._id),
          );
          await same(f, both, c => c.countDocuments(f));
        }
      }),
      check,
    );
  });

  it('sorts give the same order, with and without a limit', async () => {
    const queries = fc.array(fc.tuple(arbitrary.filter, arbitrary.sort), { minLength: 5, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(documents, indexes, queries, async (docs, keys, all) => {
        const both = await sides(docs, keys);
        for (const [f, s] of all) {
          await same([f, s], both, async c => (await c.find(f, RAW).sort(s).toArray()).map(exact));
          await same([s], both, async c => (await c.find({}, RAW).sort(s).skip(1).limit(3).toArray()).map(exact));
        }
      }),
      check,
    );
  });

  it('updates leave the same documents', async () => {
    const plain = arbitraries(PLAIN_SCALARS);
    const updates = fc.array(fc.tuple(plain.filter, plain.update), { minLength: 5, maxLength: 5 });
    const plainDocuments = fc.array(plain.document, { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(plainDocuments, indexes, updates, async (docs, keys, all) => {
        // An index over two paths refuses updates that put arrays on both, which a side without indexes takes.
        const both = await sides(docs, other ? keys : keys.filter(([key]) => Object.keys(key).length === 1));
        for (const [f, u] of all) {
          await same([f, u], both, async c => {
            const ids = (await c.find(f).sort({ _id: 1 }).toArray()).map(d => d._id);
            const results = [];
            // One by one, for a failure stops an updateMany at a document that depends on the plan.
            for (const _id of ids) results.push(await outcome(async () => countsOf(await c.updateOne({ _id }, u), u)));
            return results;
          });
          await same([f, u], both, async c => (await c.find({}, RAW).sort({ _id: 1 }).toArray()).map(exact));
        }
      }),
      check,
    );
  });

  it('distinct and grouping see the same values', async () => {
    await fc.assert(
      // Without indexes: the server's distinct finds null for missing fields when, and only when, it walks an index.
      fc.asyncProperty(documents, arbitrary.path, async (docs, path) => {
        const both = await sides(docs, []);
        await same(path, both, async c => (await c.distinct(path)).map(exact).sort());
        const pipeline = [{ $group: { _id: `$${path.replace(/\.0/g, '')}`, n: { $sum: 1 } } }];
        await same(pipeline, both, async c => (await c.aggregate(pipeline).toArray()).map(d => exact(d)).sort());
      }),
      check,
    );
  });
});

/** The result of a statement as text, or the code of its error. */
async function outcome(run: () => Promise<unknown>): Promise<string> {
  try {
    return exact({ result: await run() });
  } catch (error) {
    return `error ${(error as { code?: number }).code ?? error}`;
  }
}

/** The server counts these as modifying even where they change nothing. */
const ALWAYS_MODIFIES = /"\$sort"|"\$slice"|"\$unset":\{[^}]*\.(0|\$\[\])"/;

function countsOf({ matchedCount, modifiedCount }: Document, u: Document) {
  return ALWAYS_MODIFIES.test(exact(u)) ? { matchedCount } : { matchedCount, modifiedCount };
}

function code(outcomeText: unknown): string {
  return String(outcomeText).startsWith('error') ? String(outcomeText) : 'ok';
}
