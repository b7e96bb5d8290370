import type { Filter } from '../query/filter.ts';
import type { Index, IndexField } from '../storage/indexSpec.ts';
import { KEY_END, type KeyRange } from '../storage/scan.ts';
import { afterPrefix } from '../values/key.ts';
import { isIndex } from '../values/path.ts';
import type { Constraint } from './constraints.ts';
import { FULL, type Interval, intersect } from './interval.ts';

/** At most so many ranges in one scan; beyond it, later fields of a compound index are not narrowed. */
const MAX_RANGES = 2000;

/** What constraints make of an index: the intervals of its leading fields. */
export interface IndexBounds {
  /** Of the leading fields; the others are unbounded. */
  fields: Interval[][];
  /** Conjuncts that hold for every key in the bounds. */
  settled: Set<Filter>;
}

/** Bounds an index by the constraints on its leading fields: all points up to the first range. */
export function boundIndex(index: Index, constraints: readonly Constraint[]): IndexBounds {
  const fields: Interval[][] = [];
  const settled = new Set<Filter>();
  let group: Filter | undefined;
  let ranges = 1;
  for (let i = 0; i < index.fields.length; i++) {
    const field = index.fields[i]!;
    // A number in a path is a position or a name, whichever a document has; its index keys tell only one of them.
    if (field.parts.some(isIndex)) break;
    const own = constraints.filter(c => c.path === field.path);
    const shared = sharesArray(index.fields, i);
    const usable = shared ? own.filter(c => c.group !== undefined && c.group === group) : own;
    if (usable.length === 0) break;
    const chosen = choose(usable, field);
    if (ranges * chosen.intervals.length > MAX_RANGES) break;
    ranges *= chosen.intervals.length;
    fields.push(chosen.intervals);
    for (const f of chosen.settled) settled.add(f);
    group ??= chosen.group;
    if (!chosen.intervals.every(x => x.point)) break;
  }
  return { fields, settled };
}

/** Whether some document has an array that both this field's path and that of an earlier field go through. */
function sharesArray(fields: readonly IndexField[], at: number): boolean {
  const field = fields[at]!;
  return fields.slice(0, at).some(other =>
    [...field.arraysAt].some(depth => {
      if (depth > other.parts.length) return false;
      for (let i = 0; i < depth; i++) if (field.parts[i] !== other.parts[i]) return false;
      return true;
    }),
  );
}

interface Choice {
  intervals: Interval[];
  settled: Filter[];
  group: Filter | undefined;
}

/** Where the field has one value per document all its constraints count; in arrays each may hold for another element. */
function choose(constraints: readonly Constraint[], field: IndexField): Choice {
  if (field.arraysAt.size === 0) {
    return {
      intervals: constraints.map(c => c.bounds.intervals).reduce(intersect),
      settled: constraints.filter(c => c.bounds.exact).map(c => c.source),
      group: undefined,
    };
  }
  const best = constraints.reduce((a, b) => (rank(b) > rank(a) ? b : a));
  const together = best.group && field.arraysAt.size === 1 ? constraints.filter(c => c.group === best.group) : [best];
  return {
    intervals: together.map(c => c.bounds.intervals).reduce(intersect),
    settled: best.bounds.exact ? [best.source] : [],
    group: best.group,
  };
}

function rank({ bounds, group }: Constraint): number {
  if (bounds.intervals.every(x => x.point)) return 1000 - Math.min(bounds.intervals.length, 998);
  return group ? 1 : 0;
}

/** The key ranges of the whole index that the bounds of its leading fields make, in key order. */
export function keyRanges(index: Index, fields: readonly Interval[][]): KeyRange[] {
  let prefixes = [Buffer.alloc(0)];
  for (let i = 0; i < fields.length - 1; i++) {
    const points = directed(fields[i]!, index.fields[i]!.descending);
    prefixes = prefixes.flatMap(p => points.map(x => Buffer.concat([p, x.low])));
  }
  const last = fields.length === 0 ? [FULL] : directed(fields.at(-1)!, index.fields[fields.length - 1]!.descending);
  const whole = fields.length === index.fields.length;
  return prefixes.flatMap(p => last.map(x => keyRange(p, x, whole)));
}

function keyRange(prefix: Buffer, { low, high, point }: Interval, whole: boolean): KeyRange {
  if (prefix.length === 0) return { low, high, point: point && whole };
  return { low: Buffer.concat([prefix, low]), high: Buffer.concat([prefix, high]), point: point && whole };
}

/** The intervals of an ascending field as those of its inverted keys. */
function directed(intervals: readonly Interval[], descending: boolean): readonly Interval[] {
  if (!descending) return intervals;
  return intervals.toReversed().map(({ low, high, point }) => {
    const last = Buffer.from(low.map(b => b ^ 0xff));
    if (point) return { low: last, high: afterPrefix(last) ?? KEY_END, point };
    const first = Buffer.from(high.map(b => b ^ 0xff));
    return { low: afterPrefix(first) ?? KEY_END, high: afterPrefix(last) ?? KEY_END, point };
  });
}
