import assert from 'node:assert/strict';
import { it } from 'node:test';
import { exact, refused } from './asserts.ts';
import { conformance, type Document } from './servers.ts';

conformance('projections', suite => {
  const document = {
    _id: 1,
    a: 1,
    b: { c: 1, d: { e: 2, f: 3 } },
    list: [1, 2, 3, 4],
    docs: [{ x: 1, y: 2 }, { x: 3, y: 4 }, 7, [{ x: 5, y: 6 }]],
  };
  const { a, b, list, docs } = document;
  /** A projection, what it leaves of the document, and a filter. */
  const cases: [Document, Document, Document?][] = [
    [{}, document],
    [{ a: 1 }, { _id: 1, a }],
    [{ a: 1, _id: 0 }, { a }],
    [{ _id: 1 }, { _id: 1 }],
    [{ _id: 0 }, { a, b, list, docs }],
    [
      { docs: 0, list: 0 },
      { _id: 1, a, b },
    ],
    [
      { _id: 0, docs: 0, list: 0 },
      { a, b },
    ],
    [
      { list: 1, a: 1 },
      { _id: 1, a, list },
    ],
    [{ 'b.c': 1 }, { _id: 1, b: { c: 1 } }],
    [{ b: { c: 1 } }, { _id: 1, b: { c: 1 } }],
    [
      { 'b.d.e': 0, docs: 0, list: 0 },
      { _id: 1, a, b: { c: 1, d: { f: 3 } } },
    ],
    [{ 'docs.x': 1 }, { _id: 1, docs: [{ x: 1 }, { x: 3 }, [{ x: 5 }]] }],
    [
      { 'docs.x': 0, list: 0, b: 0 },
      { _id: 1, a, docs: [{ y: 2 }, { y: 4 }, 7, [{ y: 6 }]] },
    ],
    [{ nope: 1, 'a.x': 1 }, { _id: 1 }],
    [
      { list: { $slice: 2 }, docs: 0 },
      { _id: 1, a, b, list: [1, 2] },
    ],
    [
      { list: { $slice: -1 }, a: 1 },
      { _id: 1, a, list: [4] },
    ],
    [
      { list: { $slice: [1, 2] }, a: 1 },
      { _id: 1, a, list: [2, 3] },
    ],
    [{ docs: { $elemMatch: { x: 3 } } }, { _id: 1, docs: [{ x: 3, y: 4 }] }],
    [{ docs: { $elemMatch: { x: 9 } } }, { _id: 1 }],
    [{ list: { $elemMatch: { $gt: 2 } } }, { _id: 1, list: [3] }],
    [{ 'list.$': 1 }, { _id: 1, list: [3] }, { list: { $gt: 2 } }],
    [{ 'docs.$': 1 }, { _id: 1, docs: [{ x: 3, y: 4 }] }, { 'docs.x': 3 }],
    [{ sum: { $add: ['$a', 5] } }, { _id: 1, sum: 6 }],
    [
      { a: 1, copy: '$b.c' },
      { _id: 1, a, copy: 1 },
    ],
    [
      { 'new.field': '$a', a: 1 },
      { _id: 1, a, new: { field: 1 } },
    ],
    [
      { text: 'plain', n: { $literal: 1 } },
      { _id: 1, text: 'plain', n: 1 },
    ],
    [
      { a: true, list: 5 },
      { _id: 1, a, list },
    ],
  ];
  for (const [projection, expected, filter] of cases) {
    it(`${exact(projection)} ${filter ? exact(filter) : ''}`, async () => {
      const c = await suite.collection([document]);
      const found = await c.findOne(filter ?? {}, { projection });
      assert.equal(exact(found), exact(expected));
    });
  }

  const refusals: [Document, number, string][] = [
    [{ a: 1, b: 0 }, 31254, 'Cannot do exclusion on field b in inclusion projection'],
    [{ a: 0, b: 1 }, 31253, 'Cannot do inclusion on field b in exclusion projection'],
    [{ 'b.c': 1, b: 1 }, 31250, 'Path collision at b'],
    [{ b: 1, 'b.c': 1 }, 31249, 'Path collision at b.c remaining portion c'],
    [{ a: { $foo: 1 } }, 31325, 'Unknown expression $foo'],
    [{ $a: 1 }, 16410, "FieldPath field names may not start with '$'. Consider using $getField or $setField."],
    [{ b: {} }, 51270, 'An empty sub-projection is not a valid value. Found empty object at path'],
    [{ 'list.$': 0 }, 31395, 'positional projection cannot be used with exclusion'],
  ];
  for (const [projection, code, text] of refusals) {
    it(`refuses ${exact(projection)}`, async () => {
      const c = await suite.collection([document]);
      await refused(c.findOne({}, { projection }), code, text);
    });
  }
});
