import { rules } from './rules.ts';
import { megabyte } from './servers.ts';
import { amountOf, type Usage } from './usage.ts';
import type { Workload } from './workload.ts';

/** Megabytes a second at the busiest time. */
export interface NetworkPlan {
  toCustomersMBps: number;
  /** Between services, databases and the broker. */
  insideMBps: number;
  /** Between the members of replica sets and queues. */
  replicatedMBps: number;
}

/** What passes between servers. */
export function networkOf(perOrder: Usage, { ordersPerSecond }: Workload): NetworkPlan {
  const of = (parts: Record<string, number> = {}, without = '') =>
    Object.entries(parts).reduce((sum, [part, bytes]) => (part === without ? sum : sum + bytes), 0);
  const perSecond = (bytes: number) => (ordersPerSecond * bytes) / megabyte;
  const inside =
    of(perOrder.requestBytes, 'gateway') +
    of(perOrder.answerBytes, 'gateway') +
    of(perOrder.databaseBytes) +
    of(perOrder.brokerBytes);
  // The other members of replica sets copy the log, those of queues what was published: half of what passes the broker.
  const replicated = (rules.members - 1) * (of(perOrder.oplogBytes) + of(perOrder.brokerBytes) / 2);
  return {
    toCustomersMBps: perSecond(amountOf(perOrder, 'answerBytes', 'gateway')),
    insideMBps: perSecond(inside),
    replicatedMBps: perSecond(replicated),
  };
}
