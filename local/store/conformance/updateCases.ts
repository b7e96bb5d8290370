import assert from 'node:assert/strict';
import { it } from 'node:test';
import { exact } from './asserts.ts';
import type { Document, Suite } from './servers.ts';

/** A document, an update, the document after it (the same when nothing changes), and options and a filter. */
export type UpdateCase = [Document, Document, Document, Document?];

const RAW = { promoteValues: false, promoteLongs: false } as const;

/** Declares a test per case, of the document and of the counts. */
export function updateCases(suite: Suite, cases: UpdateCase[]): void {
  for (const [before, update, after, options] of cases) {
    it(`${exact(before)} ${exact(update)} ${options ? exact(options) : ''}`, async () => {
      const c = await suite.collection([{ _id: 1, ...before }]);
      const { filter = {}, ...rest } = options ?? {};
      const result = await c.updateOne({ _id: 1, ...filter }, update, rest);
      assert.equal(exact(await c.findOne({ _id: 1 }, RAW)), exact({ _id: 1, ...after }));
      assert.equal(result.matchedCount, 1);
      assert.equal(result.modifiedCount, exact(before) === exact(after) ? 0 : 1);
    });
  }
}
