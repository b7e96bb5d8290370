/** One text of a file is replaced by another. */
export interface Edit {
  file: string;
  /** Must be in the file once. */
  find: string;
  replace: string;
}

/** A bug to plant. */
export interface Mutant extends Edit {
  /** Begins with the letter of the rule of the order protocol that it undoes, if it undoes one of those. */
  name: string;
  /** Where it has to be found, one after the other. */
  suites: readonly Suite[];
}

/** The explored schedules, or a test file. */
export type Suite = typeof explored | `${string}.test.ts`;

export const explored = 'explored schedules';

/** The named schedules about the saga, stock and money. */
export const [saga, stock, money] = ['Saga', 'Stock', 'Money'].map(
  name => `tests/explore/named${name}.int.test.ts` as const,
) as [Suite, Suite, Suite];
