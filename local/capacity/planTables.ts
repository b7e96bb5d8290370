import { serviceNames } from '@tradepost/shared/discovery';
import { processNames } from '../processes/settings.ts';
import type { Coefficients } from './coefficients.ts';
import { costOf } from './cost.ts';
import { limitsBetween, limitsOf } from './limits.ts';
import { type Plan, planFor } from './model.ts';
import { rules } from './rules.ts';
import { priceList } from './servers.ts';
import { figure, table } from './table.ts';
import { limitsTable } from './text.ts';
import { usualWorkload, type Workload } from './workload.ts';

/** The sizes that the page plans for, in orders a second. */
export const sizes = [100, 1_000, 10_000] as const;

const workloadOf = (ordersPerSecond: number): Workload => ({ ...usualWorkload, ordersPerSecond });

/** Plans for all sizes. */
export const plansOf = (measured: Coefficients): Plan[] => sizes.map(size => planFor(measured, workloadOf(size)));

export function plansTable(plans: readonly Plan[]): string {
  const row = (name: string, of: (plan: Plan) => string) => [name, ...plans.map(of)];
  const sum = <T>(of: readonly T[], amount: (one: T) => number) =>
    figure(of.reduce((total, one) => total + amount(one), 0));
  return table(
    ['orders a second', ...plans.map(({ workload }) => figure(workload.ordersPerSecond))],
    [
      ...processNames.map((name, index) => row(`replicas of ${name}`, plan => figure(plan.services[index]!.replicas))),
      row(`nodes for them, ${priceList.serviceNode.name}`, plan => figure(plan.nodes)),
      ...serviceNames.map((name, index) => row(`shards for ${name}`, plan => serversOf(plan.databases[index]!))),
      row('nodes of the broker', ({ broker }) => `${broker.nodes} ${broker.server.name}`),
      row('writes to databases a second', ({ databases }) => sum(databases, one => one.documentsPerSecond)),
      row('messages a second', ({ broker }) => figure(broker.messagesPerSecond)),
      row('GB on disk a day, each copy', ({ databases }) => sum(databases, one => one.storedGBPerDay)),
      row('MB/s to customers', ({ network }) => figure(network.toCustomersMBps)),
      row('MB/s between servers', ({ network }) => figure(network.insideMBps + network.replicatedMBps)),
    ],
  );
}

const serversOf = ({ fits, shards, server }: Plan['databases'][number]): string =>
  fits ? `${figure(shards)} × ${rules.members} ${server.name}` : 'no server is large enough';

/** What gives out on the way to each size, from the size before. */
export function limitsText(measured: Coefficients): string {
  const limits = limitsOf(measured, workloadOf(1));
  const texts = sizes.map((size, index) => {
    const passed = limitsBetween(limits, sizes[index - 1] ?? 0, size);
    const from = index === 0 ? 'one of each' : `a shop for ${figure(sizes[index - 1] as number)}`;
    const [first] = passed;
    const says = first ? `First gives out ${first.what}, at ${figure(first.ordersPerSecond)}.` : 'Nothing gives out.';
    return [`**${figure(size)} orders/s, from ${from}.** ${says}`, ...(first ? [limitsTable(passed)] : [])];
  });
  return texts.flat().join('\n\n');
}

export function moneyTable(plans: readonly Plan[]): string {
  const costs = plans.map(costOf);
  const items = costs[0]?.items ?? [];
  return table(
    ['dollars a month', ...plans.map(({ workload }) => `${figure(workload.ordersPerSecond)} orders/s`)],
    [
      ...items.map(({ what }, index) => [what, ...costs.map(cost => figure(cost.items[index]?.dollars ?? 0))]),
      ['all', ...costs.map(({ dollars }) => figure(dollars))],
      ['million orders a month', ...costs.map(({ orders }) => figure(orders / 1e6))],
      ['dollars for 1,000 orders', ...costs.map(one => figure(one.dollarsPer1000Orders))],
    ],
  );
}
