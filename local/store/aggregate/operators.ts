import { ARITHMETIC } from './arithmetic.ts';
import { ARRAYS } from './arrays.ts';
import { CONVERSIONS } from './conversions.ts';
import type { CompileOperator } from './env.ts';
import { LOGIC } from './logic.ts';
import { MINGO } from './mingoOperators.ts';
import { OBJECTS } from './objects.ts';
import { STRINGS } from './strings.ts';

/** All expression operators. */
export const OPERATORS: Record<string, CompileOperator> = {
  ...LOGIC,
  ...ARITHMETIC,
  ...ARRAYS,
  ...STRINGS,
  ...CONVERSIONS,
  ...OBJECTS,
  ...MINGO,
};
