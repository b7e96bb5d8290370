import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { dnsDiscovery, type LookUp } from './dnsDiscovery.ts';
import { createServiceClient } from './http/client.ts';
import { silentLogger } from './logger.ts';

const none = {
  'user-service': [],
  'product-service': [],
  'inventory-service': [],
  'order-service': [],
  'payment-service': [],
};

/** Names and their addresses, which a test changes; a name without any is not found. */
function nameServer() {
  const zone = new Map<string, string[]>();
  const state = { asked: 0, running: 0, mostRunning: 0, broken: false };
  const lookUp: LookUp = async host => {
    state.asked += 1;
    state.running += 1;
    state.mostRunning = Math.max(state.mostRunning, state.running);
    await sleep(1);
    state.running -= 1;
    const found = state.broken ? undefined : zone.get(host);
    if (!found) throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' });
    return found.map(address => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  return { zone, state, lookUp };
}

async function until(look: () => boolean): Promise<void> {
  for (const end = performance.now() + 20_000; !look(); await sleep(2)) {
    assert.ok(performance.now() < end, 'it did not happen within 20 s');
  }
}

function start(t: TestContext, addresses: Partial<typeof none | Record<string, string[]>>) {
  const names = nameServer();
  const discovery = dnsDiscovery({
    addresses: { ...none, ...addresses },
    refreshMs: 5,
    logger: silentLogger(),
    lookUp: names.lookUp,
  });
  t.after(() => discovery.close());
  const sees = (...expected: string[]) =>
    until(() => String(discovery.instances('order-service').toSorted()) === String(expected.toSorted()));
  return { ...names, discovery, sees };
}

describe('discovery by DNS', () => {
  const orders = { 'order-service': ['http://order-service:3004'] };

  test('knows every address of a name, and follows those that come and go', async t => {
    const { zone, sees, discovery } = start(t, orders);
    assert.deepEqual(discovery.instances('order-service'), []);
    zone.set('order-service', ['10.0.0.1', '10.0.0.2']);
    await sees('http://10.0.0.1:3004', 'http://10.0.0.2:3004');
    zone.set('order-service', ['10.0.0.3', '10.0.0.2']);
    await sees('http://10.0.0.2:3004', 'http://10.0.0.3:3004');
    assert.deepEqual(discovery.instances('user-service'), []);
  });

  test('takes them in turn, in whatever order the answers have them', async t => {
    const { zone, sees, discovery, state } = start(t, orders);
    zone.set('order-service', ['10.0.0.2', '10.0.0.1', '10.0.0.3']);
    await sees('http://10.0.0.1:3004', 'http://10.0.0.2:3004', 'http://10.0.0.3:3004');
    const firsts: (string | undefined)[] = [];
    for (const answer of [
      ['10.0.0.3', '10.0.0.1', '10.0.0.2'],
      ['10.0.0.1', '10.0.0.3', '10.0.0.2'],
      ['10.0.0.2', '10.0.0.3', '10.0.0.1'],
    ]) {
      zone.set('order-service', answer);
      const asked = state.asked;
      await until(() => state.asked > asked + 1);
      firsts.push(discovery.instances('order-service')[0]);
    }
    assert.equal(new Set(firsts).size, 3, String(firsts));
  });

  test('writes addresses of IPv6 as they stand in a URL', async t => {
    const { zone, sees } = start(t, orders);
    zone.set('order-service', ['fd00::7']);
    await sees('http://[fd00::7]:3004');
  });

  test('adds up the addresses of several names, and a lost one harms no other', async t => {
    const { zone, sees } = start(t, { 'order-service': ['http://here:3004', 'http://there:4004'] });
    zone.set('here', ['10.0.0.1']);
    await sees('http://10.0.0.1:3004');
    zone.set('there', ['10.1.0.1']);
    await sees('http://10.0.0.1:3004', 'http://10.1.0.1:4004');
    zone.delete('there');
    zone.set('here', ['10.0.0.2']);
    await sees('http://10.0.0.2:3004', 'http://10.1.0.1:4004');
  });

  test('keeps the last known ones while the name has none, and finds those that come back', async t => {
    const { zone, sees, state, discovery } = start(t, orders);
    zone.set('order-service', ['10.0.0.1']);
    await sees('http://10.0.0.1:3004');
    state.broken = true;
    const asked = state.asked;
    await until(() => state.asked > asked + 3);
    assert.deepEqual(discovery.instances('order-service'), ['http://10.0.0.1:3004']);
    state.broken = false;
    zone.set('order-service', ['10.0.0.9']);
    await sees('http://10.0.0.9:3004');
  });

  test('looks up one name at a time, and none after it was closed', async t => {
    const { zone, sees, state, discovery } = start(t, { ...orders, 'user-service': ['http://user-service:3001'] });
    zone.set('order-service', ['10.0.0.1']);
    zone.set('user-service', ['10.0.0.2']);
    await sees('http://10.0.0.1:3004');
    await discovery.close();
    await until(() => state.running === 0);
    const { asked } = state;
    await sleep(30);
    assert.equal(state.asked, asked);
    assert.equal(state.mostRunning, 1);
  });

  test('asks the system where nobody else is given', async t => {
    const addresses = { ...none, 'order-service': ['http://localhost:3004'] };
    const discovery = dnsDiscovery({ addresses, refreshMs: 5, logger: silentLogger() });
    t.after(() => discovery.close());
    await until(() => discovery.instances('order-service').length > 0);
    for (const address of discovery.instances('order-service')) {
      assert.match(address, /^http:\/\/(127\.0\.0\.1|\[::1\]):3004$/);
    }
  });
});

test('a client spreads its calls over the addresses of one name, and leaves out one that nobody answers at', async t => {
  const asked = new Map<string, number>();
  const hosts = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
  const answer = (host: string) =>
    createServer((_request, response) => {
      asked.set(host, (asked.get(host) ?? 0) + 1);
      response.setHeader('Content-Type', 'application/json').end('{}');
    });
  const first = answer('127.0.0.1');
  await new Promise<void>(resolve => first.listen(0, '127.0.0.1', resolve));
  const { port } = first.address() as AddressInfo;
  const second = answer('127.0.0.2');
  // Nobody listens at the third.
  await new Promise<void>(resolve => second.listen(port, '127.0.0.2', resolve));
  t.after(() => {
    for (const server of [first, second]) {
      server.closeAllConnections();
      server.close();
    }
  });
  const { zone, sees, discovery } = start(t, { 'order-service': [`http://orders:${port}`] });
  zone.set('orders', hosts);
  await sees(...hosts.map(host => `http://${host}:${port}`));
  const client = createServiceClient({
    callee: 'order-service',
    discovery,
    signToken: () => 'token',
    random: () => 0.5,
  });
  for (let call = 0; call < 20; call += 1) {
    await client.call({ method: 'get', path: '/x', repeatable: true }, z.object({}));
  }
  assert.equal((asked.get('127.0.0.1') ?? 0) + (asked.get('127.0.0.2') ?? 0), 20);
  for (const host of ['127.0.0.1', '127.0.0.2']) assert.ok((asked.get(host) ?? 0) >= 5, `${host}: ${asked.get(host)}`);
});
