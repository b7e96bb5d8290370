import { serviceNames } from '@tradepost/shared/discovery';
import { processNames } from '../processes/settings.ts';
import { busiestQueue } from './broker.ts';
import type { Coefficients } from './coefficients.ts';
import { rules, shardKeys } from './rules.ts';
import { largestServer, largestShard, megabyte, priceList, terabyte } from './servers.ts';
import { storedBytesPerOrder } from './storage.ts';
import { amountOf } from './usage.ts';
import { idlePerSecond, usagePerOrder, type Workload } from './workload.ts';

/** Something of which there is one, or a fixed number, and the rate at which it gives out. */
export interface Limit {
  what: string;
  ordersPerSecond: number;
  /** What helps. */
  remedy: string;
  /** Whether a plan has what helps: replicas, shards and nodes. Else it is for the operator, or for whoever changes the shop. */
  isPlanned: boolean;
}

/** Everything that gives out at some rate, first what gives out first. The rate of the workload itself does not count. */
export function limitsOf(coefficients: Coefficients, workload: Workload): Limit[] {
  const limits = [
    ...limitsOfServices(coefficients, workload),
    ...limitsOfDatabases(coefficients, workload),
    ...limitsOfMessages(coefficients, workload),
    limitOfStock(coefficients, workload),
  ];
  return limits
    .filter(({ ordersPerSecond }) => Number.isFinite(ordersPerSecond))
    .sort((a, b) => a.ordersPerSecond - b.ordersPerSecond);
}

/** Those that give out at rates above one and up to another. */
export const limitsBetween = (limits: readonly Limit[], above: number, upTo: number): Limit[] =>
  limits.filter(({ ordersPerSecond }) => ordersPerSecond > above && ordersPerSecond <= upTo);

/** The rate at which processors are used as far as they may be. @param copies how many do the same work */
function rateOf(coefficients: Coefficients, workload: Workload, part: string, cores: number, copies = 1): number {
  const idle = copies * amountOf(idlePerSecond(coefficients, workload), 'cpuMs', part);
  const each = copies * amountOf(usagePerOrder(coefficients, workload), 'cpuMs', part);
  return Math.max(0, 1_000 * workload.utilisation * cores - idle) / each;
}

function limitsOfServices(coefficients: Coefficients, workload: Workload): Limit[] {
  return processNames.flatMap((name): Limit[] => {
    const one = rateOf(coefficients, workload, name, rules.coresPerReplica);
    return [
      {
        ...{ what: `one process of ${name}`, ordersPerSecond: one, isPlanned: true },
        remedy: 'replicas; the autoscaler adds them',
      },
      {
        ...{ what: `${rules.mostReplicas} replicas of ${name}`, isPlanned: false },
        ordersPerSecond: rules.mostReplicas * one,
        remedy: 'a higher `maxReplicas` in the production overlay',
      },
    ];
  });
}

function limitsOfDatabases(coefficients: Coefficients, workload: Workload): Limit[] {
  const perOrder = usagePerOrder(coefficients, workload);
  return serviceNames.flatMap((name): Limit[] => {
    const part = `${name} database`;
    const isPlanned = shardKeys[name] !== undefined;
    const spread = isPlanned
      ? `shards by ${shardKeys[name]}`
      : 'fewer writes to it, as it stays whole: a change of the shop';
    const server = isPlanned ? largestShard : largestServer;
    const { keptDays } = storedBytesPerOrder(coefficients, perOrder, workload, name);
    const bytesPerSecond = workload.utilisation * priceList.disk.mostMBps * megabyte;
    return [
      {
        ...{ what: `one ${server.name} for the database of ${name}`, isPlanned, remedy: spread },
        ordersPerSecond: rateOf(coefficients, workload, part, server.cores),
      },
      {
        ...{ what: `a disk of ${priceList.disk.mostMBps} MB/s for the database of ${name}`, isPlanned, remedy: spread },
        ordersPerSecond: bytesPerSecond / amountOf(perOrder, 'diskBytes', part),
      },
      {
        ...{ what: `${rules.mostBytesPerShard / terabyte} TB in the database of ${name}`, isPlanned },
        ordersPerSecond: rules.mostBytesPerShard / (keptDays * workload.averageLoad * 86_400),
        remedy: isPlanned ? `${spread}, or an archive for old orders` : 'an archive for old entries',
      },
    ];
  });
}

function limitsOfMessages(coefficients: Coefficients, workload: Workload): Limit[] {
  const [queue, messages] = busiestQueue(usagePerOrder(coefficients, workload));
  const cores = rules.members * largestShard.cores;
  return [
    {
      ...{ what: `three ${largestShard.name} for the broker`, remedy: 'more nodes', isPlanned: true },
      ordersPerSecond: rateOf(coefficients, workload, 'broker', cores, rules.members),
    },
    {
      ...{ what: `the one queue \`${queue}\``, ordersPerSecond: rules.messagesPerQueue / messages, isPlanned: false },
      remedy: 'several queues for it, by a hash of the product: a change of the shop',
    },
  ];
}

/** All lines of one product change one document. */
const limitOfStock = ({ hotProduct }: Coefficients, { linesPerOrder, hottestShare }: Workload): Limit => ({
  what: 'the one stock document of the product that sells best',
  // What several instances bore, as there are several in production.
  ordersPerSecond: Math.min(...Object.values(hotProduct.ordersPerSecond)) / (linesPerOrder * hottestShare),
  remedy: 'several stock documents for one product: a change of the shop',
  isPlanned: false,
});
