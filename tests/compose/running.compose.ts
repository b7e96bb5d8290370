import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compose, containers, docker } from './engine.ts';
import { readCompose } from './file.ts';

const { services } = readCompose();
// What is asked for here, not by the environment.
delete process.env.COMPOSE_PROFILES;

describe('docker compose config', () => {
  for (const profile of [[], ['--profile', 'core'], ['--profile', 'load'], ['--profile', 'observability']]) {
    test(`has no warning ${profile.join(' ')}`, async () => {
      const { stderr } = await compose(...profile, 'config', '--quiet');
      assert.equal(stderr, '');
    });
  }

  const started = async (...profile: string[]) =>
    (await compose(...profile, 'config', '--services')).stdout.trim().split('\n').toSorted();
  const all = Object.keys(services).toSorted();

  test('starts everything but the load generator unless told otherwise, and what each profile says', async () => {
    const watching = ['prometheus', 'grafana', 'jaeger'];
    const without = (...names: string[]) => all.filter(name => !names.includes(name));
    assert.deepEqual(await started(), without('load'));
    assert.deepEqual(await started('--profile', 'core'), without('load', ...watching));
    assert.deepEqual(await started('--profile', 'load'), all);
    assert.deepEqual(await started('--profile', 'observability'), without('load'));
  });
});

describe('the running containers', () => {
  test('are confined as the file says', async () => {
    for (const { service, HostConfig: host, Config: config } of await containers()) {
      assert.deepEqual([host.ReadonlyRootfs, host.CapDrop], [true, ['ALL']], service);
      assert.ok(host.SecurityOpt?.includes('no-new-privileges:true'), service);
      assert.ok(host.Memory > 0 && host.NanoCpus > 0 && (host.PidsLimit ?? 0) > 0, service);
      if (service !== 'secrets') assert.ok(config.User !== '' && config.User !== 'root', `${service}: ${config.User}`);
    }
  });

  test('run no process as root, but the one that hands out secrets and is over', async () => {
    for (const { service, id, state } of await containers()) {
      if (state !== 'running') continue;
      const { stdout } = await docker('top', id, '-eo', 'pid,uid');
      const users = stdout
        .trim()
        .split('\n')
        .slice(1)
        .map(line => Number(line.trim().split(/\s+/)[1]));
      assert.ok(users.length > 0 && users.every(user => user > 0), `${service}: ${users}`);
    }
  });

  test('have no secret in their environment', async () => {
    const secrets = (await compose('exec', '-T', 'user-service', 'sh', '-c', 'cat /run/secrets/*')).stdout
      .split('\n')
      .filter(line => line.length >= 16);
    assert.ok(secrets.length >= 4);
    for (const { service, Config: config } of await containers()) {
      if (service === 'secrets') continue;
      for (const secret of secrets) assert.ok(!config.Env.join('\n').includes(secret), service);
    }
  });

  const reaches = async (from: string, host: string, port: number): Promise<boolean> => {
    const look = `timeout 3 bash -c 'exec 3<>/dev/tcp/${host}/${port}'`;
    return compose('exec', '-T', from, 'bash', '-c', look).then(
      () => true,
      () => false,
    );
  };

  test('reach their own database and the broker, and no other database', async () => {
    assert.equal(await reaches('order-service', 'order-db', 27_017), true);
    assert.equal(await reaches('order-service', 'rabbitmq', 5_672), true);
    for (const [from, host] of [
      ['order-service', 'payment-db'],
      ['gateway', 'user-db'],
      ['rabbitmq', 'order-db'],
    ] as const) {
      assert.equal(await reaches(from, host, 27_017), false, `${from} → ${host}`);
    }
  });

  test('let nobody into a database without its password', async () => {
    const script = 'try { db.getSiblingDB("order").events.findOne(); print("in") } catch (e) { print(e.codeName) }';
    const { stdout } = await compose('exec', '-T', 'order-db', 'mongosh', '--quiet', '--eval', script);
    assert.match(stdout, /Unauthorized/);
  });
});
