import type { CompileExpr, Filter } from '../query/filter.ts';
import { parseFilter } from '../query/filter.ts';
import { compileFilter, type Matcher } from '../query/match.ts';
import { type Numeric, toNumber } from '../values/numbers.ts';
import type { Doc } from '../values/value.ts';

/** An index as it is used: what its definition says, parsed. */
export interface Index {
  /** Number of its table. */
  readonly id: number;
  readonly name: string;
  /** The definition as listIndexes answers it: v, key, name and the options given. */
  readonly spec: Doc;
  readonly fields: readonly IndexField[];
  readonly unique: boolean;
  readonly sparse: boolean;
  readonly partial: { filter: Filter; matches: Matcher } | undefined;
  readonly expireAfterSeconds: number | undefined;
}

export interface IndexField {
  readonly path: string;
  readonly parts: readonly string[];
  readonly descending: boolean;
  /**
   * Depths of the path (1 for its first component) at which some document had an array. Grows, never shrinks; the
   * planner asks it whether bounds may be combined.
   */
  readonly arraysAt: Set<number>;
}

/** A definition (already validated, see commands/createIndexes.ts) as an Index. */
export function indexOf(id: number, spec: Doc, arrays: number[][], expr: CompileExpr): Index {
  const partialFilter = spec.partialFilterExpression as Doc | undefined;
  const filter = partialFilter && parseFilter(partialFilter, expr);
  return {
    id,
    name: spec.name as string,
    spec,
    fields: fieldsOf(spec.key as Doc, arrays),
    unique: spec.unique === true || spec.name === '_id_',
    sparse: spec.sparse === true,
    partial: filter && { filter, matches: compileFilter(filter) },
    expireAfterSeconds:
      spec.expireAfterSeconds === undefined ? undefined : toNumber(spec.expireAfterSeconds as Numeric),
  };
}

/** The fields of a key pattern such as `{ a: 1, 'b.c': -1 }`; also those of a sort. */
export function fieldsOf(key: Doc, arrays: number[][] = []): IndexField[] {
  return Object.entries(key).map(([path, direction], i) => ({
    path,
    parts: path.split('.'),
    descending: toNumber(direction as Numeric) < 0,
    arraysAt: new Set(arrays[i]),
  }));
}
