import type { Cost } from './cost.ts';
import type { Limit } from './limits.ts';
import type { Plan } from './model.ts';
import { rules } from './rules.ts';
import { priceList } from './servers.ts';
import { figure, table } from './table.ts';

/** What is assumed of customers, in a sentence. */
export function assumptionsOf({ workload }: Plan): string {
  const percent = (part: number) => `${figure(100 * part)} %`;
  const reads = `${figure(workload.readsPerOrder)} reads (${percent(workload.cacheHits)} of those of the catalogue from the gateway's memory)`;
  return [
    `An order has ${figure(workload.linesPerOrder)} lines; ${reads}, ${figure(workload.signInsPerOrder)} sign-ins and`,
    `${figure(workload.refreshesPerOrder)} new access tokens go with it.`,
    `${percent(workload.hottestShare)} of all lines are of one product, and orders are kept for ${figure(workload.retentionDays)} days.`,
    `Processors are used to ${percent(workload.utilisation)}; the average hour has ${percent(workload.averageLoad)} of the busiest one's orders.`,
  ].join(' ');
}

export function servicesTable({ services }: Plan): string {
  return table(
    ['service', 'replicas', 'processors used', 'requests/s', 'MiB each'],
    services.map(one => [
      ...[one.name, figure(one.replicas), figure(one.cores), figure(one.requestsPerSecond), figure(one.memoryMiB)],
    ]),
  );
}

export function databasesTable({ databases }: Plan): string {
  const head = [
    'database of',
    'shards',
    'servers',
    'kind',
    'processors used',
    'writes/s',
    'disk MB/s',
    'GB a day',
    'GB kept',
  ];
  return table(
    [...head, 'connections'],
    databases.map(one => [
      one.name,
      figure(one.shards),
      figure(one.shards * rules.members),
      one.fits ? one.server.name : `${one.server.name}, too small`,
      figure(one.cores),
      figure(one.documentsPerSecond),
      figure(one.diskMBps),
      figure(one.storedGBPerDay),
      figure(one.storedGB),
      figure(one.connections),
    ]),
  );
}

/** Lines on the broker, the nodes, the network and the product that sells best. */
export function restOf({ broker, nodes, network, hottestPerSecond }: Plan): string[] {
  return [
    `Nodes for services: ${figure(nodes)} × ${priceList.serviceNode.name}.`,
    `Broker: ${broker.nodes} × ${broker.server.name}; ${figure(broker.messagesPerSecond)} messages/s published, ` +
      `${figure(broker.deliveriesPerSecond)} delivered, most of them by ${broker.busiestQueue.name} (${figure(broker.busiestQueue.messagesPerSecond)}/s).`,
    `Network: ${figure(network.toCustomersMBps)} MB/s to customers, ${figure(network.insideMBps)} MB/s between servers, ` +
      `${figure(network.replicatedMBps)} MB/s between copies.`,
    `Stock: ${figure(hottestPerSecond)} lines/s of the product that sells best.`,
  ];
}

export const limitsTable = (limits: readonly Limit[]): string =>
  table(
    ['gives out', 'helps', 'orders/s'],
    limits.map(one => [one.what, one.remedy, figure(one.ordersPerSecond)]),
    2,
  );

export const costTable = ({ items, dollars, dollarsPer1000Orders }: Cost): string =>
  table(
    ['what', 'dollars a month', 'for 1,000 orders'],
    [...items, { what: 'all', dollars }].map(one => [
      one.what,
      figure(one.dollars),
      figure((one.dollars / dollars) * dollarsPer1000Orders),
    ]),
  );
