import { rules } from './rules.ts';
import { largestShard, type ServerKind, smallestServer } from './servers.ts';
import { amountOf, totalOf, type Usage } from './usage.ts';
import type { Workload } from './workload.ts';

export interface BrokerPlan {
  cores: number;
  nodes: number;
  server: ServerKind;
  messagesPerSecond: number;
  deliveriesPerSecond: number;
  busiestQueue: { name: string; messagesPerSecond: number };
}

/** What it takes for the messages of a workload. */
export function planBroker(perOrder: Usage, idle: Usage, { ordersPerSecond, utilisation }: Workload): BrokerPlan {
  // Each copy of a queue is taken to cost what the only one did that was measured.
  const used =
    (rules.members * (ordersPerSecond * amountOf(perOrder, 'cpuMs', 'broker') + amountOf(idle, 'cpuMs', 'broker'))) /
    1_000;
  const most = utilisation * largestShard.cores;
  const nodes = oddAtLeast(Math.max(rules.members, Math.ceil(used / most)));
  const [name, perQueue] = busiestQueue(perOrder);
  return {
    ...{ cores: used, nodes, server: smallestServer(used / nodes / utilisation) },
    messagesPerSecond: ordersPerSecond * totalOf(perOrder, 'published'),
    deliveriesPerSecond: ordersPerSecond * totalOf(perOrder, 'delivered'),
    busiestQueue: { name, messagesPerSecond: ordersPerSecond * perQueue },
  };
}

/** Majorities want an odd number of nodes. */
const oddAtLeast = (count: number): number => (count % 2 === 1 ? count : count + 1);

/** The durable queue that gets most messages for an order. */
export const busiestQueue = (perOrder: Usage): readonly [name: string, messages: number] =>
  Object.entries(perOrder.delivered ?? {})
    .filter(([queue]) => !queue.startsWith('listener.'))
    .sort((a, b) => b[1] - a[1])[0] ?? ['none', 0];
