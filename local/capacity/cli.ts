/**
 * Plans the shop for a number of orders: replicas, shards, broker nodes, what gives out first and what an order costs, from
 * what `npm run bench -- capacity` measured last.
 *
 *   npm run capacity -- --orders-per-second N [--reads-per-order R] [--utilisation U] ...
 *   npm run capacity -- --write
 *
 * The second one writes the tables of docs/capacity.md anew.
 */
import { StartError } from '@tradepost/shared/lifecycle';
import { measuredLast, planText, readArguments } from './command.ts';
import { writeTables } from './page.ts';

try {
  const workload = readArguments(process.argv.slice(2));
  if (workload === 'write') writeTables();
  else process.stdout.write(`${planText(measuredLast(), workload)}\n`);
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
