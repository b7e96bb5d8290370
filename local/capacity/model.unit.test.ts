import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { type Coefficients, readCoefficients } from './coefficients.ts';
import { costOf, egress } from './cost.ts';
import { limitsBetween, limitsOf } from './limits.ts';
import { type Plan, planFor } from './model.ts';
import { rules } from './rules.ts';
import { priceList, smallestServer } from './servers.ts';
import { type Activity, activities, type Usage } from './usage.ts';
import { activitiesPerOrder, usualWorkload, type Workload } from './workload.ts';

const measured = readCoefficients();
const workloadOf = (ordersPerSecond: number, more: Partial<Workload> = {}): Workload => ({
  ...usualWorkload,
  ordersPerSecond,
  ...more,
});

/** A shop in which only the named things cost anything. */
const shop = (costs: Partial<Record<Activity, Usage>>, idle: Usage = {}): Coefficients => ({
  ...measured,
  idle,
  activities: Object.fromEntries(activities.map(name => [name, costs[name] ?? {}])) as Coefficients['activities'],
  diskPerByte: Object.fromEntries(Object.keys(measured.diskPerByte).map(name => [name, 2])),
  keptSeconds: { 'order-service inbox': 86_400 },
});

const half = { utilisation: 0.5 };

describe('a plan for costs that can be followed by hand', () => {
  test('a process has half a processor, less what it takes at rest', () => {
    const costs = shop({ order: { cpuMs: { gateway: 10 } } }, { cpuMs: { gateway: 100 } });
    const [gateway] = planFor(costs, workloadOf(1_000, half)).services;
    // 10 processors of work, 0.5 − 0.1 of each replica.
    assert.equal(gateway?.replicas, 25);
    assert.equal(gateway?.cores.toFixed(3), '12.500');
  });

  test('lines, reads and sign-ins count as often as they happen', () => {
    const each: Usage = { cpuMs: { gateway: 1 } };
    const costs = shop(Object.fromEntries(activities.map(name => [name, each])));
    const workload = workloadOf(1, { linesPerOrder: 5, readsPerOrder: 60, signInsPerOrder: 2, refreshesPerOrder: 3 });
    // The order, four more lines, sixty reads, two sign-ins, three tokens: milliseconds in a second.
    assert.equal(planFor(costs, workload).services[0]?.cores.toFixed(6), '0.070000');
    assert.equal(
      Object.values(activitiesPerOrder(workload))
        .reduce((sum, one) => sum + one, 0)
        .toFixed(6),
      '70.000000',
    );
  });

  test('as many reads as are not answered from memory are answered by the services', () => {
    const { list, listFromCache } = activitiesPerOrder(workloadOf(1, { cacheHits: 0.75 }));
    assert.equal((listFromCache / list).toFixed(6), '3.000000');
  });

  test('a faster processor takes less time for the same', () => {
    const costs = shop({ order: { cpuMs: { gateway: 10 } } });
    const cores = (coreSpeed: number) => planFor(costs, workloadOf(1_000, { coreSpeed })).services[0]?.cores;
    assert.equal(cores(2), cores(1)! / 2);
  });

  test('a database gets a larger server, then shards; one that stays whole gets the largest or is too small', () => {
    const database = (name: 'order-service' | 'product-service', ordersPerSecond: number) => {
      const costs = shop({ order: { cpuMs: { [`${name} database`]: 4 } } });
      return planFor(costs, workloadOf(ordersPerSecond, half)).databases.find(one => one.name === name);
    };
    const seen = (one: Plan['databases'][number] | undefined) => [one?.shards, one?.server.name, one?.fits];
    assert.deepEqual(seen(database('order-service', 250)), [1, 'm7g.large', true]);
    assert.deepEqual(seen(database('order-service', 2_000)), [1, 'm7g.4xlarge', true]);
    // 12 processors: two shards, of which each uses half of what it has.
    assert.deepEqual(seen(database('order-service', 3_000)), [2, 'm7g.4xlarge', true]);
    assert.deepEqual(seen(database('product-service', 8_000)), [1, 'm7g.16xlarge', true]);
    assert.deepEqual(seen(database('product-service', 8_001)), [1, 'm7g.16xlarge', false]);
  });

  test('what is stored counts as long as it is kept, and asks for shards and memory', () => {
    const storedBytes = {
      'order-service events': 1_000,
      'order-service inbox': 1_000,
      'payment-service provider_charges': 9,
    };
    const plan = planFor(shop({ order: { storedBytes } }), workloadOf(1_000, { averageLoad: 1, retentionDays: 100 }));
    const orders = plan.databases.find(one => one.name === 'order-service');
    // 86.4 million orders a day, 2 kB on disk each for 100 days and as much for one day.
    assert.equal(orders?.storedGB.toFixed(1), (86.4 * 2 * 101).toFixed(1));
    assert.equal(orders?.storedGBPerDay.toFixed(1), (86.4 * 4).toFixed(1));
    assert.equal(orders?.shards, 5);
    assert.equal(orders?.server.name, 'm7g.4xlarge');
    assert.equal(plan.databases.find(one => one.name === 'payment-service')?.storedGB, 0);
  });

  test('the broker has copies to feed, an odd number of nodes, and one queue that is the busiest', () => {
    const delivered = { 'a.one': 1, 'a.two': 3, 'listener.product.*': 9 };
    const broker = planFor(shop({ order: { cpuMs: { broker: 4 }, delivered } }), workloadOf(2_000, half)).broker;
    // 24 processors, 8 used of each server.
    assert.deepEqual([broker.nodes, broker.server.name], [3, 'm7g.4xlarge']);
    assert.deepEqual(broker.busiestQueue, { name: 'a.two', messagesPerSecond: 6_000 });
    assert.equal(planFor(shop({ order: { cpuMs: { broker: 4 } } }), workloadOf(2_100, half)).broker.nodes, 5);
  });

  test('what a month costs', () => {
    const cost = costOf(planFor(shop({ order: { answerBytes: { gateway: 1e6 } } }), workloadOf(1, { averageLoad: 1 })));
    assert.equal(cost.orders, 730 * 3_600);
    // 2,628 GB, all of it in the first ten TB.
    assert.equal(
      cost.items.find(one => one.what === 'answers to customers')?.dollars.toFixed(2),
      (2_628 * 0.09).toFixed(2),
    );
    assert.equal(egress(60_000), 10_000 * 0.09 + 40_000 * 0.085 + 10_000 * 0.07);
    assert.equal(cost.dollarsPer1000Orders, (1_000 * cost.dollars) / cost.orders);
  });

  test('limits come in the order in which they give out', () => {
    const costs = shop({ order: { cpuMs: { gateway: 5, 'order-service database': 1 }, delivered: { 'a.one': 2 } } });
    const limits = limitsOf(costs, workloadOf(7, { ...half, hottestShare: 0.5, linesPerOrder: 1 }));
    const rateOf = (what: RegExp) => limits.find(one => what.test(one.what))?.ordersPerSecond;
    assert.equal(limits[0]?.what, 'one process of gateway');
    assert.equal(rateOf(/^one process of gateway/), 100);
    assert.equal(rateOf(/^30 replicas of gateway/), 3_000);
    assert.equal(rateOf(/^one m7g.4xlarge for the database of order-service/), 8_000);
    assert.equal(rateOf(/a\.one/), 5_000);
    assert.equal(rateOf(/sells best/), 2 * Math.min(...Object.values(measured.hotProduct.ordersPerSecond)));
    assert.equal(rateOf(/payment-service/), undefined, 'what costs nothing gives out never');
    assert.deepEqual(
      limitsBetween(limits, 100, 5_000)
        .map(one => one.ordersPerSecond)
        .toSorted((a, b) => a - b)
        .at(-1),
      5_000,
    );
  });
});

describe('a plan for what was measured', () => {
  const rates = fc.double({ min: 0.1, max: 50_000, noNaN: true });
  const workloads = fc.record({
    ordersPerSecond: rates,
    averageLoad: fc.double({ min: 0.01, max: 1, noNaN: true }),
    linesPerOrder: fc.integer({ min: 1, max: 50 }),
    readsPerOrder: fc.integer({ min: 0, max: 1_000 }),
    cacheHits: fc.double({ min: 0, max: 1, noNaN: true }),
    signInsPerOrder: fc.double({ min: 0, max: 5, noNaN: true }),
    refreshesPerOrder: fc.double({ min: 0, max: 5, noNaN: true }),
    hottestShare: fc.double({ min: 0.001, max: 1, noNaN: true }),
    retentionDays: fc.integer({ min: 1, max: 3_650 }),
    utilisation: fc.double({ min: 0.3, max: 0.9, noNaN: true }),
    coreSpeed: fc.double({ min: 0.3, max: 4, noNaN: true }),
  });
  const slack = 1 + 1e-9;

  test('never has fewer than are needed', () => {
    fc.assert(
      fc.property(workloads, workload => {
        const { services, databases, broker, nodes } = planFor(measured, workload);
        for (const one of services) {
          assert.ok(one.replicas >= rules.leastReplicas);
          assert.ok(one.cores <= one.replicas * workload.utilisation * slack, one.name);
        }
        for (const one of databases.filter(({ fits }) => fits)) {
          assert.ok(one.cores <= one.shards * one.server.cores * workload.utilisation * slack, one.name);
          assert.ok(one.storedGB * 1e9 <= one.shards * rules.mostBytesPerShard * slack, one.name);
        }
        assert.ok(broker.nodes >= 3 && broker.nodes % 2 === 1);
        assert.ok(broker.cores <= broker.nodes * broker.server.cores * workload.utilisation * slack);
        const replicas = services.reduce((sum, one) => sum + one.replicas, 0);
        assert.ok(nodes * priceList.serviceNode.cores >= replicas);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test('never gets smaller with more orders, and never costs less', () => {
    fc.assert(
      fc.property(workloads, rates, (workload, more) => {
        const [small, large] = [0, more].map(plus =>
          planFor(measured, { ...workload, ordersPerSecond: workload.ordersPerSecond + plus }),
        ) as [Plan, Plan];
        for (const [index, one] of small.services.entries()) assert.ok(large.services[index]!.replicas >= one.replicas);
        for (const [index, one] of small.databases.entries()) {
          const other = large.databases[index]!;
          assert.ok(other.shards >= one.shards && other.storedGB >= one.storedGB);
          assert.ok(other.shards * other.server.cores >= one.shards * one.server.cores || other.shards > one.shards);
        }
        assert.ok(large.nodes >= small.nodes && large.broker.nodes >= small.broker.nodes);
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  test('a limit is where a plan passes from one to two', () => {
    for (const { what, ordersPerSecond } of limitsOf(measured, workloadOf(1))) {
      const [, name] = /^30 replicas of (\S+)$/.exec(what) ?? [];
      if (!name) continue;
      const replicas = (rate: number) =>
        planFor(measured, workloadOf(rate)).services.find(one => one.name === name)!.replicas;
      assert.equal(replicas(ordersPerSecond * 0.999), rules.mostReplicas);
      assert.ok(replicas(ordersPerSecond * 1.001) > rules.mostReplicas);
    }
  });

  test('is the same for the same numbers', () => {
    assert.deepEqual(planFor(measured, workloadOf(123)), planFor(measured, workloadOf(123)));
  });
});

describe('what the model takes for given is so', () => {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

  test('replicas are those of the production overlay', () => {
    const { patches } = parse(read('deploy/kubernetes/overlays/production/kustomization.yaml'));
    const scaler = patches.find((one: { target?: { kind: string } }) => one.target?.kind === 'HorizontalPodAutoscaler');
    const values = parse(scaler.patch).map(({ path, value }: { path: string; value: number }) => [path, value]);
    assert.deepEqual(Object.fromEntries(values), {
      '/spec/minReplicas': rules.leastReplicas,
      '/spec/maxReplicas': rules.mostReplicas,
    });
  });

  test('an instance holds as many connections as its pool', () => {
    assert.match(read('shared/mongo.ts'), new RegExp(`maxPoolSize: ${rules.connectionsPerReplica},`));
  });

  test('servers are listed from small to large, and what is too much for all gets the largest', () => {
    const cores = priceList.dataServers.map(one => one.cores);
    assert.deepEqual(
      cores,
      cores.toSorted((a, b) => a - b),
    );
    assert.equal(smallestServer(1_000).name, priceList.dataServers.at(-1)?.name);
  });
});
