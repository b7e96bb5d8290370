import { randomUUID } from 'node:crypto';
import { send, startTestService, type TestAnswer } from '@tradepost/local/testing';
import type { Clock } from '@tradepost/shared/clock';
import type { HoldsRequest, ReserveRequest } from '@tradepost/shared/contracts/inventory';
import { productCreated } from '@tradepost/shared/events/products';
import { listen } from '@tradepost/shared/http/listener';
import { createMessage } from '@tradepost/shared/messaging/message';
import { createRegistry } from '@tradepost/shared/observability/metrics';
import type { ServiceDependencies } from '@tradepost/shared/service';
import { createApp } from './app.ts';
import type { InventoryConfig } from './config.ts';

const defaults: InventoryConfig = { HOLD_TTL_MS: 60_000, HOLD_SWEEP_INTERVAL_MS: 50, LOW_STOCK_THRESHOLD: 5 };

/** The service on real sockets, with the calls that order-service makes, and further instances on the same database. */
export async function startTestInventory(options: { config?: Partial<InventoryConfig>; clock?: Clock } = {}) {
  const config = { ...defaults, ...options.config };
  let dependencies: ServiceDependencies | undefined;
  const service = await startTestService(
    'inventory-service',
    given => {
      dependencies = given;
      return createApp(given, config);
    },
    options.clock ? { clock: options.clock } : {},
  );
  const closing: (() => Promise<unknown>)[] = [];

  /** What order-service asks of an instance. */
  const callsOf = (base: string) => {
    const post = (path: string, body: unknown): Promise<TestAnswer> =>
      send(base, 'POST', `/internal/reservations${path}`, { token: service.serviceToken(), body });
    return {
      reserve: (orderId: string, items: ReserveRequest['items']) => post('', { orderId, items }),
      pin: (orderId: string, holds: HoldsRequest['holds']) => post(`/${orderId}/pin`, { holds }),
      commit: (orderId: string, holds: HoldsRequest['holds']) => post(`/${orderId}/commit`, { holds }),
      release: (orderId: string, productIds: string[]) => post(`/${orderId}/release`, { productIds }),
    };
  };

  return {
    ...service,
    ...callsOf(service.url),
    admin: () => service.token({ id: 'admin', role: 'admin' }),

    /** Another instance of the service, on a port of its own. */
    async addInstance() {
      const registry = createRegistry('inventory-service', { processMetrics: false });
      const app = createApp({ ...(dependencies as ServiceDependencies), registry }, config);
      const listener = await listen(app.listener, { port: 0, host: '127.0.0.1' });
      await app.start();
      closing.push(() => app.stop().then(() => listener.close(1_000)));
      return callsOf(`http://127.0.0.1:${listener.port}`);
    },

    /** Announces a product as product-service does, and waits until its stock is open. */
    async open(productId: string, initialStock: number): Promise<void> {
      const data = { sku: productId, name: productId, category: null, price: { amount: 100, currency: 'GBP' } };
      await service.bus.publish(
        'products',
        createMessage(productCreated, {
          ...{ id: randomUUID(), source: 'product-service', subject: productId, at: new Date() },
          data: { ...data, productId, status: 'active', version: 1, initialStock },
        }),
      );
      await until(async () => (await service.send('GET', `/api/inventory/${productId}`)).status === 200);
    },

    /** Every product with what the audit finds wrong, and with its holds. */
    async audit() {
      const items: { productId: string; onHand: number; reserved: number; discrepancies: unknown[] }[] = [];
      let cursor: string | null = null;
      do {
        const query: string = cursor ? `?limit=100&cursor=${cursor}` : '?limit=100';
        const { body } = await service.send('GET', `/internal/audit${query}`, { token: service.serviceToken() });
        items.push(...body.items);
        cursor = body.nextCursor;
      } while (cursor);
      return items;
    },

    async close(): Promise<void> {
      for (const close of closing) await close();
      await service.connection.dropDatabase();
      await service.close();
    },
  };
}

/** Waits until a condition holds, for at most ten seconds. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('the condition did not come true in 10 s');
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}
