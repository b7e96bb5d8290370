import { Binary, BSONRegExp, BSONValue, Code, Decimal128, Double, MinKey, ObjectId, Timestamp } from 'bson';
import { type Doc, isInt32, type Value } from './value.ts';

/** A value as the server prints it in its messages: `{ a: "x", b: [ 1, 2.5 ] }`. */
export function show(v: Value | undefined): string {
  if (v === undefined) return 'undefined';
  if (v === null || typeof v === 'boolean' || typeof v === 'bigint') return String(v);
  if (typeof v === 'string') return `"${v}"`;
  if (typeof v === 'number') return showNumber(v);
  if (Array.isArray(v)) return v.length === 0 ? '[]' : `[ ${v.map(show).join(', ')} ]`;
  if (v instanceof Date) return `new Date(${v.getTime()})`;
  if (v instanceof BSONValue) return showBson(v as Exclude<Value, Doc>);
  const fields = Object.entries(v).map(([name, x]) => `${name}: ${show(x)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}

function showNumber(n: number): string {
  return isInt32(n) ? String(n) : showDouble(n);
}

function showDouble(n: number): string {
  if (Number.isNaN(n)) return 'nan.0';
  if (!Number.isFinite(n)) return n > 0 ? 'inf.0' : '-inf.0';
  if (Object.is(n, -0)) return '-0.0';
  return String(n).includes('.') ? String(n) : `${n}.0`;
}

function showBson(v: unknown): string {
  if (v instanceof ObjectId) return `ObjectId('${v.toHexString()}')`;
  if (v instanceof Double)
    return Number.isInteger(v.value) ? `${showNumber(v.value).replace('.0', '')}.0` : `${v.value}`;
  if (v instanceof Decimal128) return v.toString();
  if (v instanceof Binary) return showBinary(v);
  if (v instanceof Timestamp) return `Timestamp(${v.t}, ${v.i})`;
  if (v instanceof BSONRegExp) return `/${v.pattern}/${v.options}`;
  if (v instanceof Code) return String(v.code);
  return v instanceof MinKey ? 'MinKey' : 'MaxKey';
}

function showBinary(v: Binary): string {
  const hex = Buffer.from(v.value()).toString('hex');
  if (v.sub_type === Binary.SUBTYPE_UUID && hex.length === 32) {
    return `UUID("${hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}")`;
  }
  return `BinData(${v.sub_type}, ${hex.toUpperCase()})`;
}
