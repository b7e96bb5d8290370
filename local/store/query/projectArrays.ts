import { StoreError } from '../errors.ts';
import { asInteger } from '../values/numbers.ts';
import { type Doc, isDoc, isNumeric, type Value } from '../values/value.ts';
import { type CompileExpr, parseFilter } from './filter.ts';
import { compileFilter, type Found, type Matcher } from './match.ts';

/** What a find's projection keeps of a field; undefined leaves the field out. */
export type ArrayPick = (value: Value, root: Doc) => Value | undefined;

/** `$slice: n` or `[skip, n]`; undefined when the operand is not of that form (then it is an expression). */
export function slicePick(operand: Value): ArrayPick | undefined {
  if (isNumeric(operand)) {
    const n = asInteger(operand) ?? 0;
    return v => (Array.isArray(v) ? (n < 0 ? v.slice(n) : v.slice(0, n)) : v);
  }
  if (!Array.isArray(operand) || operand.length !== 2) return undefined;
  const [skip, n] = operand.map(asInteger);
  if (skip === undefined || n === undefined || n <= 0) return undefined;
  return v => {
    if (!Array.isArray(v)) return v;
    const from = skip < 0 ? Math.max(0, v.length + skip) : skip;
    return v.slice(from, from + n);
  };
}

/** The first element that matches, as an array; nothing when there is none. */
export function elemMatchPick(operand: Value, expr: CompileExpr): ArrayPick {
  if (!isDoc(operand)) throw new StoreError(31274, 'elemMatch: Invalid argument, object required');
  const matches = compileFilter(parseFilter({ v: { $elemMatch: operand } }, expr));
  return v => {
    if (!Array.isArray(v)) return undefined;
    const first = v.find(x => matches({ v: [x] }));
    return first === undefined ? undefined : [first];
  };
}

/** `path.$`: the element the query matched. */
export function positionalPick(flag: Value, matches: Matcher | undefined): ArrayPick {
  if (flag !== true && !(isNumeric(flag) && asInteger(flag) !== 0)) {
    throw new StoreError(31395, 'positional projection cannot be used with exclusion');
  }
  return (v, root) => {
    if (!Array.isArray(v)) return v;
    const found: Found = { position: undefined };
    matches?.(root, found);
    const element = found.position === undefined ? undefined : v[Number(found.position)];
    if (element !== undefined) return [element];
    throw new StoreError(51246, "positional operator '.$' couldn't find a matching element in the array");
  };
}
