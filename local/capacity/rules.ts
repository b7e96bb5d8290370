import type { ServiceName } from '@tradepost/shared/discovery';
import { terabyte } from './servers.ts';

/** Fixed parts of a plan. */
export const rules = {
  /** Of each service, one in each zone, as the production overlay has them. */
  leastReplicas: 3,
  /** What the production overlay lets autoscalers go up to. */
  mostReplicas: 30,
  /** Copies of each database and of each queue. */
  members: 3,
  /** A node process runs JavaScript on one. */
  coresPerReplica: 1,
  /** Of one shard: what a new member has to copy before it can take over. An assumption. */
  mostBytesPerShard: 4 * terabyte,
  /** Part of a disk or of the memory of a node that is filled. */
  diskFill: 0.7,
  /** Bytes on disk for each byte of memory: what is new has to be in memory, what is old hardly ever. An assumption. */
  diskPerMemory: 64,
  /** A quorum queue with three members bore it for an hour: https://www.rabbitmq.com/blog/2022/05/16/rabbitmq-3.10-performance-improvements (scenario 2). */
  messagesPerQueue: 10_000,
  /** Each instance holds at most so many to its database (`maxPoolSize`). */
  connectionsPerReplica: 20,
} as const;

/** The databases that can be spread over shards, and by what: those that grow with orders. */
export const shardKeys: Partial<Record<ServiceName, string>> = {
  'order-service': 'order id',
  'payment-service': 'order id',
  'inventory-service': 'product id',
};
