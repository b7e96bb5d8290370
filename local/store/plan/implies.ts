import type { Filter, RangeTest, Test } from '../query/filter.ts';
import { compileTest } from '../query/match.ts';
import { compareValues } from '../values/compare.ts';
import { orderOf, type Value } from '../values/value.ts';
import { conjunctsOf, requiresPath } from './constraints.ts';

/**
 * Whether every document that matches all `conjuncts` matches the filter of a partial index, by simple rules: the same
 * or a narrower comparison on the same path, or any test that needs the path for `$exists: true`.
 */
export function implies(conjuncts: readonly Filter[], partial: Filter): boolean {
  return conjunctsOf(partial).every(wanted => conjuncts.some(given => impliesOne(given, wanted)));
}

function impliesOne(given: Filter, wanted: Filter): boolean {
  if (wanted.kind === 'or') return wanted.of.some(w => implies(conjunctsOf(given), w));
  if (given.kind === 'or') return given.of.length > 0 && given.of.every(g => implies(conjunctsOf(g), wanted));
  if (wanted.kind === 'exists') return requiresPath(given, wanted.path);
  if (given.kind !== 'test' || wanted.kind !== 'test' || given.path !== wanted.path) return false;
  return impliesTest(given.test, wanted.test);
}

function impliesTest(given: Test, wanted: Test): boolean {
  const accepts = compileTest(wanted);
  // An array equals as a whole but is tested element by element.
  const fits = (v: Value) => !Array.isArray(v) && accepts(v);
  if (given.op === 'eq') return given.value !== null && fits(given.value);
  if (given.op === 'in') return given.regexes.length === 0 && given.values.every(v => v !== null && fits(v));
  if (!isRange(given) || !isRange(wanted) || orderOf(given.value) !== orderOf(wanted.value)) return false;
  const up = (t: Test) => t.op === 'gt' || t.op === 'gte';
  if (up(given) !== up(wanted)) return false;
  const c = up(given) ? compareValues(given.value, wanted.value) : compareValues(wanted.value, given.value);
  const open = given.op === 'gt' || given.op === 'lt' || wanted.op === 'gte' || wanted.op === 'lte';
  return c > 0 || (c === 0 && open);
}

function isRange(test: Test): test is RangeTest {
  return test.op === 'gt' || test.op === 'gte' || test.op === 'lt' || test.op === 'lte';
}
