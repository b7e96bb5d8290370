import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ServiceName, serviceNames, staticDiscovery } from '../discovery.ts';
import { createInstances } from './instances.ts';

function instancesOf(...addresses: string[]) {
  const clock = { ms: 0 };
  const all = Object.fromEntries(serviceNames.map(name => [name, addresses])) as Record<ServiceName, string[]>;
  return { clock, instances: createInstances(staticDiscovery(all), () => clock.ms) };
}

test('one that failed comes last, until it has cooled', () => {
  const { clock, instances } = instancesOf('a', 'b', 'c');
  assert.deepEqual(instances.of('order-service'), ['a', 'b', 'c']);
  instances.failed('b');
  assert.deepEqual(instances.of('order-service'), ['c', 'a', 'b']);
  assert.deepEqual(instances.of('order-service'), ['c', 'a', 'b']);
  clock.ms += 3_000;
  assert.deepEqual(instances.of('order-service'), ['a', 'b', 'c']);
  assert.deepEqual(instances.of('order-service'), ['b', 'c', 'a']);
});

test('a single one, or all that failed, are still tried', () => {
  const { instances } = instancesOf('a', 'b');
  for (const address of ['a', 'b']) instances.failed(address);
  assert.deepEqual(instances.of('order-service'), ['a', 'b']);
  const single = instancesOf('a');
  single.instances.failed('a');
  assert.deepEqual(single.instances.of('order-service'), ['a']);
});
