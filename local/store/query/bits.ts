import { Binary } from 'bson';
import { failedToParse } from '../errors.ts';
import { asInteger, isInteger, toNumber } from '../values/numbers.ts';
import { isNumeric, type Value } from '../values/value.ts';

/** The bit mask of `$bitsAllSet` and its kin: an integer, bytes (least significant first) or bit positions. */
export function bitMask(name: string, operand: Value): bigint {
  if (Array.isArray(operand)) return operand.reduce((mask: bigint, v) => mask | (1n << position(name, v)), 0n);
  if (operand instanceof Binary) return ofBytes(operand);
  const n = asInteger(operand);
  if (n === undefined) throw failedToParse(`${name} takes an Array, a number, or a BinData but received: ${operand}`);
  if (n < 0) throw failedToParse(`Expected a non-negative number in: ${name}: ${n}`);
  return BigInt(n);
}

function position(name: string, v: Value): bigint {
  const n = asInteger(v);
  if (n === undefined || n < 0) throw failedToParse(`bit positions of ${name} must be non-negative integers`);
  return BigInt(Math.min(n, 4096));
}

function ofBytes(binary: Binary): bigint {
  return Buffer.from(binary.value()).reduceRight((mask, byte) => (mask << 8n) | BigInt(byte), 0n);
}

/** The bits of a number or binary value as the server tests them; undefined for values it never matches. */
export function bitsOf(v: Value | undefined): bigint | undefined {
  if (v instanceof Binary) return ofBytes(v);
  if (!isNumeric(v)) return undefined;
  if (isInteger(v)) return BigInt(v);
  const n = toNumber(v);
  return Number.isInteger(n) && Math.abs(n) < 2 ** 63 ? BigInt(n) : undefined;
}
