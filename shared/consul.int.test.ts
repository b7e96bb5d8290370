import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { consulDiscovery, register } from './consul.ts';
import { silentLogger } from './logger.ts';

const logger = silentLogger();

/** An agent that answers as Consul does, by its HTTP API (https://developer.hashicorp.com/consul/api-docs). */
async function startAgent(t: TestContext) {
  let [index, healthy] = [1, [] as number[]];
  const waiting = new Set<() => void>();
  const requests: { method: string; path: string; body: unknown }[] = [];
  const state = { broken: false, hangs: false };
  const answer = (response: ServerResponse, ports: number[]) =>
    response
      .writeHead(200, { 'Content-Type': 'application/json', 'X-Consul-Index': String(index) })
      .end(JSON.stringify(ports.map(Port => ({ Node: { Address: '10.0.0.1' }, Service: { Address: '', Port } }))));
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const url = new URL(request.url ?? '/', 'http://consul');
    requests.push({ method: request.method ?? '', path: url.pathname + url.search, body: body && JSON.parse(body) });
    if (state.hangs) return;
    if (state.broken) {
      response.writeHead(500).end();
      return;
    }
    if (!url.pathname.startsWith('/v1/health/')) {
      response.end();
      return;
    }
    const known = url.searchParams.get('index');
    if (known !== null && known !== '0' && Number(known) === index) await new Promise<void>(go => waiting.add(go));
    answer(response, healthy);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const wakeAll = () => {
    for (const go of waiting) go();
    waiting.clear();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    /** The healthy instances are these from now on, under an index. */
    set(ports: number[], at = index + 1) {
      [index, healthy] = [at, ports];
      wakeAll();
    },
    /** Takes requests and answers none from now on. */
    hang() {
      state.hangs = true;
    },
    /** Answers with errors, as an agent without a leader. */
    fail(broken: boolean) {
      state.broken = broken;
      wakeAll();
    },
  };
}

async function until(look: () => boolean): Promise<void> {
  for (const end = performance.now() + 20_000; !look(); await sleep(5)) {
    assert.ok(performance.now() < end, 'it did not happen within 20 s');
  }
}

const at = (...ports: number[]) => ports.map(port => `http://10.0.0.1:${port}`);

describe('discovery by Consul', () => {
  const start = async (t: TestContext) => {
    const agent = await startAgent(t);
    const discovery = consulDiscovery({ url: agent.url, logger, services: ['order-service'] });
    t.after(() => discovery.close());
    const seen = () => discovery.instances('order-service').toSorted();
    return { agent, discovery, sees: (ports: number[]) => until(() => String(seen()) === String(at(...ports))) };
  };

  test('follows what changes, by queries that wait and ask for healthy ones only', async t => {
    const { agent, discovery, sees } = await start(t);
    assert.deepEqual(discovery.instances('order-service'), []);
    agent.set([1, 2]);
    await sees([1, 2]);
    agent.set([2, 3]);
    await sees([2, 3]);
    for (const { path } of agent.requests) assert.match(path, /^\/v1\/health\/service\/order-service\?.*passing/);
    await until(() => /index=3&wait=30s$/.test(agent.requests.at(-1)?.path ?? ''));
  });

  test('takes the instances in turn', async t => {
    const { agent, discovery, sees } = await start(t);
    agent.set([1, 2, 3]);
    await sees([1, 2, 3]);
    const firsts = Array.from({ length: 6 }, () => discovery.instances('order-service')[0]);
    assert.deepEqual(firsts.slice(0, 3).toSorted(), at(1, 2, 3));
    assert.deepEqual(firsts.slice(3), firsts.slice(0, 3));
  });

  test('keeps the last known ones while there are none, while the agent fails, and when it begins anew', async t => {
    const { agent, discovery, sees } = await start(t);
    agent.set([1, 2], 50);
    await sees([1, 2]);
    agent.set([]);
    agent.fail(true);
    const asked = agent.requests.length;
    await until(() => agent.requests.length > asked + 1);
    assert.deepEqual(discovery.instances('order-service').toSorted(), at(1, 2));
    agent.fail(false);
    // An agent that was started anew counts from the beginning.
    agent.set([7], 3);
    await sees([7]);
  });
});

describe('a registration', () => {
  const options = { name: 'order-service', address: '10.0.0.9', port: 3004, metricsPort: 9004, logger };

  test('names a check of readiness, and is taken back on stop', async t => {
    const agent = await startAgent(t);
    const registration = register({ url: agent.url, ...options });
    await until(() => agent.requests.length === 1);
    const [{ method, path, body }] = agent.requests as [(typeof agent.requests)[0]];
    assert.deepEqual([method, path], ['PUT', '/v1/agent/service/register']);
    const { ID, Name, Address, Port, Check, Meta } = body as Record<string, never> & { Check: Record<string, string> };
    assert.deepEqual([ID, Name, Address, Port], ['order-service-10.0.0.9-3004', 'order-service', '10.0.0.9', 3004]);
    assert.deepEqual(Meta, { metrics_port: '9004' });
    assert.equal(Check.HTTP, 'http://10.0.0.9:3004/health/ready');
    assert.equal(Check.DeregisterCriticalServiceAfter, '1m');
    await registration.deregister();
    assert.match(
      agent.requests.at(-1)?.path ?? '',
      /^\/v1\/agent\/service\/deregister\/order-service-10\.0\.0\.9-3004$/,
    );
  });

  test('is given up by an agent that takes it and never answers', async t => {
    const agent = await startAgent(t);
    agent.hang();
    const registration = register({ url: agent.url, ...options });
    await until(() => agent.requests.length === 1);
    await registration.deregister();
    assert.deepEqual(
      agent.requests.map(({ path }) => path.split('/')[4]),
      ['register', 'deregister'],
    );
  });

  test('that nobody takes harms nothing', async t => {
    const agent = await startAgent(t);
    agent.fail(true);
    const registration = register({ url: agent.url, ...options });
    await until(() => agent.requests.length === 1);
    await registration.deregister();
    await register({ url: 'http://127.0.0.1:9', ...options }).deregister();
  });
});
