import { type ServiceName, serviceNames } from '@tradepost/shared/discovery';
import { type ProcessName, processNames } from '../processes/settings.ts';
import { type BrokerPlan, planBroker } from './broker.ts';
import type { Coefficients } from './coefficients.ts';
import { type NetworkPlan, networkOf } from './network.ts';
import { rules, shardKeys } from './rules.ts';
import {
  gigabyte,
  largestServer,
  largestShard,
  megabyte,
  priceList,
  type ServerKind,
  smallestServer,
} from './servers.ts';
import { storedBytesPerOrder } from './storage.ts';
import { amountOf, type Usage } from './usage.ts';
import { idlePerSecond, usagePerOrder, type Workload } from './workload.ts';

export interface ServicePlan {
  name: ProcessName;
  /** Processors used at the busiest time. */
  cores: number;
  replicas: number;
  memoryMiB: number;
  requestsPerSecond: number;
}

export interface DatabasePlan {
  name: ServiceName;
  /** Processors of its primaries that are used at the busiest time. */
  cores: number;
  shards: number;
  /** Of each member. */
  server: ServerKind;
  /** False when not even the largest server does, and shards cannot help. */
  fits: boolean;
  documentsPerSecond: number;
  /** Written to the disks of all its primaries. */
  diskMBps: number;
  /** In all shards, of each copy, after the time for which orders are kept. */
  storedGB: number;
  storedGBPerDay: number;
  connections: number;
}

export interface Plan {
  workload: Workload;
  services: ServicePlan[];
  databases: DatabasePlan[];
  broker: BrokerPlan;
  /** For services. */
  nodes: number;
  network: NetworkPlan;
  /** Lines a second of the product that sells best. */
  hottestPerSecond: number;
}

/** What it takes for a workload. Pure: the same numbers give the same plan. */
export function planFor(coefficients: Coefficients, workload: Workload): Plan {
  const perOrder = usagePerOrder(coefficients, workload);
  const idle = idlePerSecond(coefficients, workload);
  const perSecond = (quantity: keyof Usage, part: string) =>
    workload.ordersPerSecond * amountOf(perOrder, quantity, part);
  const cores = (part: string, instances = 1) =>
    (perSecond('cpuMs', part) + instances * amountOf(idle, 'cpuMs', part)) / 1_000;
  const { utilisation } = workload;

  const services = processNames.map((name): ServicePlan => {
    const idleCores = amountOf(idle, 'cpuMs', name) / 1_000;
    const each = Math.max(0.01, utilisation * rules.coresPerReplica - idleCores);
    const replicas = Math.max(rules.leastReplicas, Math.ceil(perSecond('cpuMs', name) / 1_000 / each));
    return {
      ...{ name, replicas, cores: cores(name, replicas) },
      memoryMiB: coefficients.memoryMiB[name] ?? 0,
      requestsPerSecond: perSecond('requests', name),
    };
  });

  const databases = serviceNames.map((name): DatabasePlan => {
    const replicas = services.find(one => one.name === name)?.replicas ?? 1;
    const { bytes, keptDays } = storedBytesPerOrder(coefficients, perOrder, workload, name);
    const needed: Needed = {
      // Each instance looks for work of its own, which was measured with one.
      cores: cores(`${name} database`, replicas),
      stored: averagePerDay(workload) * keptDays,
      written: perSecond('diskBytes', `${name} database`),
    };
    return {
      ...{ name, cores: needed.cores, ...spread(needed, utilisation, shardKeys[name] !== undefined) },
      documentsPerSecond: perSecond('documents', name),
      diskMBps: needed.written / megabyte,
      storedGB: needed.stored / gigabyte,
      storedGBPerDay: (averagePerDay(workload) * bytes) / gigabyte,
      connections: replicas * rules.connectionsPerReplica,
    };
  });

  return {
    ...{ workload, services, databases, broker: planBroker(perOrder, idle, workload) },
    nodes: Math.max(rules.leastReplicas, nodesFor(services)),
    network: networkOf(perOrder, workload),
    hottestPerSecond: workload.ordersPerSecond * workload.linesPerOrder * workload.hottestShare,
  };
}

/** What a database has to bear: processors, bytes on its disk, and bytes written to it in a second. */
interface Needed {
  cores: number;
  stored: number;
  written: number;
}

/** Shards as large as they may be, on servers as small as they can be; one of them for what cannot be spread. */
function spread({ cores, stored, written }: Needed, utilisation: number, isShardable: boolean) {
  const largest = isShardable ? largestShard : largestServer;
  const shards = Math.max(
    1,
    Math.ceil(cores / (utilisation * largest.cores)),
    Math.ceil(stored / rules.mostBytesPerShard),
    Math.ceil(written / (utilisation * priceList.disk.mostMBps * megabyte)),
  );
  const count = isShardable ? shards : 1;
  const memoryGiB = stored / count / rules.diskPerMemory / 2 ** 30;
  return { shards: count, fits: count === shards, server: smallestServer(cores / count / utilisation, memoryGiB) };
}

const averagePerDay = ({ ordersPerSecond, averageLoad }: Workload) => ordersPerSecond * averageLoad * 86_400;

/** A processor for each replica, and memory for all. */
function nodesFor(services: readonly ServicePlan[]): number {
  const { cores, memoryGiB } = priceList.serviceNode;
  const replicas = services.reduce((sum, one) => sum + one.replicas, 0);
  const memory = services.reduce((sum, one) => sum + one.replicas * one.memoryMiB, 0) / 1_024;
  return Math.ceil(Math.max((replicas * rules.coresPerReplica) / cores, memory / (rules.diskFill * memoryGiB)));
}
