import type { StockCommand } from './commands.ts';
import type { Decision, Movement, Stock } from './stock.ts';

/**
 * Decides several commands one after the other, each on the stock that the one before left.
 * @param history movements that the commands may have to know, in any order
 * @returns the stock after all, all new movements, and an outcome per command
 */
export function decideAll(
  stock: Stock,
  commands: readonly StockCommand<unknown>[],
  history: readonly Movement[],
  at: Date,
): Decision<unknown[]> {
  const known = [...history];
  const movements: Movement[] = [];
  const outcome: unknown[] = [];
  let after = stock;
  for (const command of commands) {
    const decision = command.decide(after, { at, movements: known });
    after = decision.stock;
    movements.push(...decision.movements);
    known.push(...decision.movements);
    outcome.push(decision.outcome);
  }
  return { stock: after, movements, outcome };
}
