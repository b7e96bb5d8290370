import { StoreError } from '../errors.ts';
import { type Doc, isDoc, typeOf, type Value } from '../values/value.ts';
import { pathValue } from './env.ts';
import { checkFieldPath } from './expression.ts';
import { setPath, unsetPath } from './setPath.ts';
import type { CompileStage } from './stage.ts';

/** The `$unwind` stage. */
export const unwind: CompileStage = argument => {
  const spec = typeof argument === 'string' ? { path: argument } : argument;
  if (!isDoc(spec)) {
    throw new StoreError(
      15981,
      `expected either a string or an object as specification for $unwind stage, got ${typeOf(argument).name}`,
    );
  }
  const { path, includeArrayIndex, preserveNullAndEmptyArrays, ...unknown } = spec as Doc;
  for (const name of Object.keys(unknown)) throw new StoreError(28811, `unrecognized option to $unwind stage: ${name}`);
  if (path === undefined) throw new StoreError(28812, 'no path specified to $unwind stage');
  if (typeof path !== 'string') {
    throw new StoreError(28808, `expected a string as the path for $unwind stage, got ${typeOf(path).name}`);
  }
  if (!path.startsWith('$')) {
    throw new StoreError(28818, `path option to $unwind stage should be prefixed with a '$': ${path}`);
  }
  const parts = checkFieldPath(path.slice(1));
  const indexPath = indexOption(includeArrayIndex);
  const keepsEmpty = preserveNullAndEmptyArrays === true;
  return function* (input) {
    for (const doc of input) yield* unwound(doc, parts, indexPath, keepsEmpty);
  };
};

function indexOption(v: Value | undefined): string[] | undefined {
  if (v === undefined) return undefined;
  if (typeof v !== 'string' || v === '') {
    throw new StoreError(28810, 'expected a non-empty string for the includeArrayIndex option to $unwind stage');
  }
  if (v.startsWith('$')) {
    throw new StoreError(28822, `includeArrayIndex option to $unwind stage should not be prefixed with a '$': ${v}`);
  }
  return checkFieldPath(v);
}

function* unwound(doc: Doc, parts: string[], indexPath: string[] | undefined, keepsEmpty: boolean): Generator<Doc> {
  const numbered = (d: Doc, index: bigint | null) => (indexPath ? setPath(d, indexPath, index) : d);
  const value = pathValue(doc, parts, 0);
  if (!Array.isArray(value)) {
    if (keepsEmpty || (value !== undefined && value !== null)) yield numbered(doc, null);
    return;
  }
  if (value.length === 0 && keepsEmpty) yield numbered(unsetPath(doc, parts), null);
  for (const [i, element] of value.entries()) yield numbered(setPath(doc, parts, element), BigInt(i));
}
