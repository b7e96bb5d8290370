import type { Plan } from './model.ts';
import { rules } from './rules.ts';
import { hoursPerMonth, megabyte, priceList, smallestServer } from './servers.ts';

/** Dollars of a month, by what they are for. */
export interface Cost {
  items: { what: string; dollars: number }[];
  dollars: number;
  orders: number;
  dollarsPer1000Orders: number;
}

const secondsPerMonth = hoursPerMonth * 3_600;
/** Of three zones each has a third, so that two thirds of all calls go to another. */
const shareBetweenZones = 2 / 3;

/**
 * What a plan costs in a month on the price list, when it stands for the busiest time all day, and orders come as often as on
 * average. Disks are as full as they are at the end of the time for which orders are kept.
 */
export function costOf({ workload, services, databases, broker, nodes, network }: Plan): Cost {
  const { serviceNode, disk, dollarsPerGBBetweenZones, clusterDollarsPerHour, balancer } = priceList;
  const orders = workload.ordersPerSecond * workload.averageLoad * secondsPerMonth;
  /** Gigabytes in a month of what flows at the busiest time. */
  const monthly = (megabytesPerSecond: number) =>
    (megabytesPerSecond * megabyte * workload.averageLoad * secondsPerMonth) / 1e9;
  const databaseServers = databases.reduce(
    (sum, one) => sum + one.shards * rules.members * one.server.dollarsPerHour,
    0,
  );
  const shardRouting = databases.some(one => one.shards > 1) ? rules.members * smallestServer(1).dollarsPerHour : 0;
  const disks = databases.reduce((sum, one) => {
    const space = (one.storedGB / rules.diskFill) * disk.dollarsPerGBMonth;
    const speed = Math.max(0, one.diskMBps - one.shards * disk.includedMBps) * disk.dollarsPerMBpsMonth;
    return sum + rules.members * (space + speed);
  }, 0);
  const items = [
    {
      what: `${nodes} × ${serviceNode.name} for ${services.length} services`,
      dollars: nodes * serviceNode.dollarsPerHour * hoursPerMonth,
    },
    { what: 'servers of the databases', dollars: (databaseServers + shardRouting) * hoursPerMonth },
    { what: 'disks of the databases', dollars: disks },
    { what: 'servers of the broker', dollars: broker.nodes * broker.server.dollarsPerHour * hoursPerMonth },
    { what: 'answers to customers', dollars: egress(monthly(network.toCustomersMBps)) },
    {
      what: 'traffic between zones',
      dollars:
        dollarsPerGBBetweenZones * (shareBetweenZones * monthly(network.insideMBps) + monthly(network.replicatedMBps)),
    },
    {
      what: 'cluster and load balancer',
      dollars:
        (clusterDollarsPerHour + balancer.dollarsPerHour) * hoursPerMonth +
        balancer.dollarsPerGB * monthly(network.toCustomersMBps),
    },
  ];
  const dollars = items.reduce((sum, one) => sum + one.dollars, 0);
  return { items, dollars, orders, dollarsPer1000Orders: (1_000 * dollars) / orders };
}

/** What a month's gigabytes to the internet cost, the first ones dearer than the last. */
export function egress(gigabytes: number): number {
  let [dollars, from] = [0, 0];
  for (const { upToTB, dollarsPerGB } of priceList.egress) {
    const upTo = Math.min(gigabytes, 1_000 * upToTB);
    dollars += Math.max(0, upTo - from) * dollarsPerGB;
    from = Math.max(from, upTo);
  }
  return dollars;
}
