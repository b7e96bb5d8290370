import { messageMutants } from './messageMutants.ts';
import { moneyMutants } from './moneyMutants.ts';
import type { Mutant } from './mutant.ts';
import { orderMutants } from './orderMutants.ts';
import { releaseMutants } from './releaseMutants.ts';
import { stockMutants } from './stockMutants.ts';

/** Every bug that is planted, by what it is about. */
export const allMutants: readonly Mutant[] = [
  ...orderMutants,
  ...stockMutants,
  ...moneyMutants,
  ...messageMutants,
  ...releaseMutants,
];
