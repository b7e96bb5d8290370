import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { crash, docker, until } from '../compose/engine.ts';
import { settled, shop } from '../compose/shop.ts';
import { recordFigures, startLoad } from '../real/load.ts';
import { type Task, tasksOf } from './stack.ts';

const three = ['gateway', 'order-service', 'inventory-service'] as const;
const metricsPorts = { gateway: 9100, 'order-service': 3004, 'inventory-service': 3003 };

/** Requests that a task has answered, but for those about its health. */
async function answered(service: keyof typeof metricsPorts, { id }: Task): Promise<number> {
  const read = `exec 3<>/dev/tcp/127.0.0.1/${metricsPorts[service]} && printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3`;
  const { stdout } = await docker('exec', id, 'bash', '-c', read);
  const counts = stdout.matchAll(/^http_request_duration_seconds_count\{[^}]*route="\/api[^}]*\} (\d+)/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

describe('three tasks', () => {
  test('of each share the requests', async () => {
    const token = await shop.register();
    const tasks = await Promise.all(three.map(async service => ({ service, all: await tasksOf(service) })));
    const count = () =>
      Promise.all(tasks.map(({ service, all }) => Promise.all(all.map(task => answered(service, task)))));
    const before = await count();
    const product = (await shop.send('GET', '/api/products?limit=1')).body.items[0].id;
    for (let turn = 0; turn < 30; turn += 1) {
      // At one time, so that each has a connection of its own, as customers have.
      const paths = ['/api/orders?limit=1', `/api/inventory/${product}`];
      const answers = await Promise.all([...paths, ...paths, ...paths].map(path => shop.send('GET', path, { token })));
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    }
    const after = await count();
    const shares = after.map((counts, service) => counts.map((n, task) => n - before[service]![task]!));
    const line = JSON.stringify({
      test: 'three tasks',
      shares: Object.fromEntries(three.map((n, i) => [n, shares[i]])),
    });
    if (process.env.TEST_FIGURES) appendFileSync(process.env.TEST_FIGURES, `${line}\n`);
    for (const [index, service] of three.entries()) {
      assert.equal(shares[index]!.length, 3, service);
      const sum = shares[index]!.reduce((a, b) => a + b, 0);
      for (const share of shares[index]!) assert.ok(share >= sum / 6, `${service}: ${shares[index]}`);
    }
  });

  test('are confined, and have no secret in their environment', async () => {
    const secrets = (
      await docker('exec', (await tasksOf('user-service'))[0]!.id, 'sh', '-c', 'cat /run/secrets/*')
    ).stdout
      .split('\n')
      .filter(line => line.length >= 16);
    assert.ok(secrets.length >= 5);
    for (const service of [...three, 'user-service', 'payment-service', 'order-db', 'rabbitmq']) {
      for (const { id } of await tasksOf(service)) {
        const [{ HostConfig: host, Config: config }] = JSON.parse((await docker('inspect', id)).stdout);
        assert.deepEqual([host.ReadonlyRootfs, host.CapDrop], [true, ['ALL']], service);
        assert.ok(host.Memory > 0 && host.NanoCpus > 0 && host.PidsLimit > 0, service);
        assert.ok(config.User !== '' && config.User !== 'root', service);
        for (const secret of secrets) assert.ok(!config.Env.join('\n').includes(secret), service);
      }
    }
  });

  test('cannot reach the database of another service', async () => {
    const reaches = (id: string, host: string) =>
      docker('exec', id, 'timeout', '3', 'bash', '-c', `exec 3<>/dev/tcp/${host}/27017`).then(
        () => true,
        () => false,
      );
    const [task] = await tasksOf('order-service');
    assert.deepEqual([await reaches(task!.id, 'order-db'), await reaches(task!.id, 'payment-db')], [true, false]);
  });
});

describe('killed under load, is replaced and loses nothing:', () => {
  for (const victim of [...three, 'order-db', 'rabbitmq']) {
    test(victim, async () => {
      const before = await tasksOf(victim);
      await using load = await startLoad(shop, 2);
      await sleep(2_000);
      await crash(before[0]!.id);
      const all = () => tasksOf(victim);
      const replacedMs = await until(
        async () => {
          const now = await all();
          return now.length === before.length && now.every(({ id }) => id !== before[0]!.id);
        },
        180_000,
        all,
      );
      await sleep(1_000);
      const report = await load.finish();
      const settledMs = Math.round(await settled(120_000));
      recordFigures(`killed ${victim}`, report, { replacedMs: Math.round(replacedMs), settledMs });
      assert.deepEqual(report.broken, []);
      assert.ok(report.orders > 3);
    });
  }
});
