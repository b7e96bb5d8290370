import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BSON, Double } from 'bson';
import { readDocument } from './read.ts';
import type { Doc } from './value.ts';
import { idFirst, writeDocument } from './write.ts';

const { EJSON } = BSON;

/** A document of every type, as its bytes come over the wire. */
const ALL_TYPES = `{"_id":{"$oid":"65f0f0f0f0f0f0f0f0f0f0f0"},"i":{"$numberInt":"1"},"d":{"$numberDouble":"1.0"},
  "l":{"$numberLong":"1"},"m":{"$numberDecimal":"1.0"},"f":{"$numberDouble":"0.1"},"z":{"$numberDouble":"-0.0"},
  "n":null,"b":true,"s":"grün","at":{"$date":{"$numberLong":"-1"}},"bin":{"$binary":{"base64":"AAEC","subType":"80"}},
  "r":{"$regularExpression":{"pattern":"^a","options":"i"}},"t":{"$timestamp":{"t":1,"i":2}},"min":{"$minKey":1},
  "max":{"$maxKey":1},"a":[{"$numberInt":"1"},[],{}],"o":{"__proto__":{"x":{"$numberInt":"1"}},"toString":{"$numberInt":"2"}},
  "c":{"$code":"f()"}}`;

describe('BSON', () => {
  it('is written as it was read, type by type', () => {
    const bytes = Buffer.from(BSON.serialize(EJSON.parse(ALL_TYPES, { relaxed: false })));
    assert.deepEqual(writeDocument(readDocument(bytes)), bytes);
  });

  it('keeps a field called __proto__ a field', () => {
    const bytes = Buffer.from(BSON.serialize(JSON.parse('{"__proto__":{"polluted":1}}')));
    const doc = readDocument(bytes);
    assert.ok(Object.hasOwn(doc, '__proto__'));
    assert.equal(({} as Doc).polluted, undefined);
  });

  it('tells int32, int64 and double apart', () => {
    const doc = readDocument(Buffer.from(BSON.serialize({ i: 1, d: new BSON.Double(1), l: 1n, f: 1.5 })));
    assert.deepEqual(doc, { i: 1, d: new Double(1), l: 1n, f: 1.5 });
  });

  it('refuses bytes that are no document', () => {
    const good = Buffer.from(BSON.serialize({ a: 'text', b: [1, { c: 2 }] }));
    for (let at = 0; at < good.length; at++) {
      for (const byte of [0, 1, 0x7f, 0xff]) {
        const bad = Buffer.from(good);
        bad[at] = byte;
        try {
          readDocument(bad);
        } catch (error) {
          assert.equal((error as { code?: number }).code, 22, `byte ${at} = ${byte}: ${error}`);
        }
      }
      assert.throws(() => readDocument(good.subarray(0, at)), { code: 22 });
    }
  });

  it('refuses nesting beyond the limit, without overflowing the stack', () => {
    let doc: Doc = {};
    for (let i = 0; i < 500; i++) doc = { a: doc };
    assert.throws(() => readDocument(Buffer.from(BSON.serialize(doc))), { code: 15 });
  });

  it('refuses types that are not kept', () => {
    const undefinedField = Buffer.of(8, 0, 0, 0, 6, 0x61, 0, 0);
    assert.throws(() => readDocument(undefinedField), { code: 22, message: /type 0x06 is not supported/ });
  });

  it('moves _id to the front by its bytes', () => {
    const bytes = Buffer.from(BSON.serialize({ a: 1, _id: 'x', b: { _id: 1 } }));
    assert.deepEqual(Object.keys(readDocument(idFirst(bytes))), ['_id', 'a', 'b']);
    const already = Buffer.from(BSON.serialize({ _id: 1, a: 1 }));
    assert.equal(idFirst(already), already);
  });
});
