import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { serviceNames } from '@tradepost/shared/discovery';
import { z } from 'zod';
import { root } from '../architecture/sourceFiles.ts';
import { expectNoFailure, recordFigures, startLoad } from '../real/load.ts';
import { compose, containers, until } from './engine.ts';
import { allWell, isWell, settled, shop } from './shop.ts';

const prometheus = `http://127.0.0.1:${process.env.PROMETHEUS_PORT}`;
const targets = z.object({
  data: z.object({
    activeTargets: z.array(z.object({ labels: z.record(z.string(), z.string()), health: z.string() })),
  }),
});
const values = z.object({
  data: z.object({
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});

/** Instances of a job that Prometheus reads. */
async function scraped(job: string): Promise<string[]> {
  const response = await fetch(`${prometheus}/api/v1/targets?state=active`);
  const { data } = targets.parse(await response.json());
  return data.activeTargets
    .filter(({ labels, health }) => labels.job === job && health === 'up')
    .map(({ labels }) => labels.instance ?? '');
}

/** Requests that each instance of order-service has answered. */
async function answered(): Promise<Record<string, number>> {
  const query = 'sum by (instance) (http_request_duration_seconds_count{job="order-service",route="/api/orders"})';
  const response = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(query)}`);
  const { data } = values.parse(await response.json());
  return Object.fromEntries(data.result.map(({ metric, value }) => [metric.instance, Number(value[1])]));
}

const scale = async (service: string, count: number): Promise<void> => {
  await compose('up', '--detach', '--no-deps', '--no-recreate', '--scale', `${service}=${count}`, service);
  const all = () => containers(service);
  await until(async () => (await all()).filter(isWell).length === count, 120_000, all);
};

describe('three instances of order-service', () => {
  before(() => scale('order-service', 3));
  after(() => scale('order-service', 1));

  test('share the requests, and Prometheus reads each without a word', async () => {
    const token = await shop.register();
    const look = () => scraped('order-service');
    await until(async () => (await look()).length === 3, 90_000, look);
    const instances = await look();
    const before = await answered();
    for (let turn = 0; turn < 90; turn += 1) {
      assert.equal((await shop.send('GET', '/api/orders?limit=1', { token })).status, 200);
    }
    const share = async () => {
      const counts = await answered();
      return instances.map(instance => (counts[instance] ?? 0) - (before[instance] ?? 0));
    };
    await until(async () => (await share()).every(count => count >= 20), 60_000, share);
    const line = JSON.stringify({ test: 'three instances', requests: await share() });
    if (process.env.TEST_FIGURES) appendFileSync(process.env.TEST_FIGURES, `${line}\n`);
  });
});

describe('a rolling restart under load fails no request:', () => {
  const ordersPerSecond = 1;
  for (const service of serviceNames) {
    test(service, async () => {
      await allWell(120_000);
      const old = (await containers(service)).map(one => one.id);
      const load = await startLoad(shop, ordersPerSecond);
      await sleep(2_000);
      await promisify(execFile)('docker/rolling-restart', [service], { cwd: root, env: process.env });
      await sleep(2_000);
      const report = await load.finish();
      const settledMs = Math.round(await settled(60_000));
      recordFigures(`rolling restart of ${service}`, report, { settledMs });
      const now = (await containers(service)).map(one => one.id);
      assert.equal(now.length, old.length);
      assert.ok(now.every(id => !old.includes(id)));
      assert.deepEqual(report.broken, []);
      await expectNoFailure(shop, ordersPerSecond, report);
    });
  }
});

test('every process is read by Prometheus, the gateway on its port that is not public', async () => {
  for (const job of ['gateway', ...serviceNames]) {
    await until(
      async () => (await scraped(job)).length >= 1,
      60_000,
      () => job,
    );
  }
});
