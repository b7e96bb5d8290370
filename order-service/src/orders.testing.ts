import { randomUUID } from 'node:crypto';
import { startTestService, type TestService } from '@tradepost/local/testing';
import type { Clock } from '@tradepost/shared/clock';
import { loadConfig } from '@tradepost/shared/config';
import { serviceNames } from '@tradepost/shared/discovery';
import { createApp } from './app.ts';
import { type OrderConfig, settings } from './config.ts';
import { type StandIns, startStandIns } from './standIns.testing.ts';

export const address = { name: 'Ada', line1: '1 High Street', city: 'London', postcode: 'N1', country: 'GB' };

/** order-service with stand-ins for the others, and a product `mug` of which there is plenty. */
export interface TestOrders extends TestService {
  world: StandIns;
  customer(): { id: string; token: string };
  admin: string;
  /** Places an order of two mugs under a new key. */
  place(token: string, key?: string): ReturnType<TestService['send']>;
}

export async function startOrders(config: Partial<OrderConfig> = {}, clock?: Clock): Promise<TestOrders> {
  const world = await startStandIns();
  world.prices.set('mug', 500);
  world.stock.set('mug', 1_000_000);
  const service = await startTestService(
    'order-service',
    dependencies => createApp(dependencies, { ...loadConfig(settings, {}), SAGA_POLL_MS: 20, ...config }),
    { addresses: Object.fromEntries(serviceNames.map(name => [name, world.url])), ...(clock ? { clock } : {}) },
  );
  return {
    ...service,
    world,
    customer() {
      const id = randomUUID();
      return { id, token: service.token({ id }) };
    },
    admin: service.token({ id: randomUUID(), role: 'admin' }),
    place: (token, key = randomUUID()) =>
      service.send('POST', '/api/orders', {
        ...{ token, headers: { 'Idempotency-Key': key } },
        body: {
          ...{ items: [{ productId: 'mug', quantity: 2 }], shippingAddress: address },
          payment: { token: 'tok_visa' },
        },
      }),
    async close() {
      await service.close();
      await world.close();
    },
  };
}

/** Looks again and again until it is so. @throws after 30 s */
export async function eventually(check: () => Promise<boolean> | boolean): Promise<void> {
  for (const until = performance.now() + 30_000; !(await check()); ) {
    if (performance.now() > until) throw new Error('not so after 30 s');
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}
