import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLocalBus } from '@tradepost/local/bus/localBus';
import { send, startTestDatabase, startTestIssuer, type TestAnswer } from '@tradepost/local/testing';
import { systemClock } from '@tradepost/shared/clock';
import { loadConfig } from '@tradepost/shared/config';
import { type ServiceName, serviceNames, staticDiscovery } from '@tradepost/shared/discovery';
import { AppError } from '@tradepost/shared/errors';
import {
  createAccessTokenVerifier,
  createServiceTokenSigner,
  createServiceTokenVerifier,
} from '@tradepost/shared/http/auth';
import { type Call, createServiceClient, type ServiceClient } from '@tradepost/shared/http/client';
import { listen } from '@tradepost/shared/http/listener';
import { newId } from '@tradepost/shared/ids';
import { silentLogger } from '@tradepost/shared/logger';
import { createConnection } from '@tradepost/shared/mongo';
import { createRegistry } from '@tradepost/shared/observability/metrics';
import type { ServiceDependencies } from '@tradepost/shared/service';
import type { Connection } from 'mongoose';
import { createApp as createInventory } from '../../inventory-service/src/app.ts';
import { settings as inventorySettings } from '../../inventory-service/src/config.ts';
import { createApp as createOrders } from '../../order-service/src/app.ts';
import { settings as orderSettings } from '../../order-service/src/config.ts';
import { createApp as createPayments } from '../../payment-service/src/app.ts';
import { settings as paymentSettings } from '../../payment-service/src/config.ts';

export const killable = ['order-service', 'inventory-service', 'payment-service'] as const;
export type Killable = (typeof killable)[number];

/** The calls of order-service by the ends of their paths. */
export const operations = ['reservations', 'pin', 'commit', 'release', 'charges', 'cancel', 'refunds'] as const;

/** What goes wrong with the next call of an operation. */
export interface CallFault {
  operation: (typeof operations)[number];
  kind: 'call lost' | 'answer lost' | 'caller killed' | 'callee killed';
}

export const unitPrice = 500;
const holdTtlMs = 60_000;

interface Instance {
  connection: Connection;
  /** Ends its connections at once, so that nothing it still does has an effect on its data. */
  kill(): Promise<void>;
}

export type OrderParts = Awaited<ReturnType<typeof startOrderParts>>;

/** order-, inventory- and payment-service in one process, on one store and bus, each of which can be killed and started. */
export async function startOrderParts() {
  const [database, issuer] = await Promise.all([startTestDatabase(), startTestIssuer()]);
  const uris = Object.fromEntries([...killable, 'bus'].map(name => [name, database.uri(name)]));
  const secret = randomBytes(32).toString('hex');
  const busConnection = await createConnection(uris.bus ?? '').asPromise();
  const bus = await createLocalBus({ connection: busConnection, clock: systemClock, newId, logger: silentLogger() });
  const addresses = Object.fromEntries(serviceNames.map(name => [name, [] as string[]])) as Record<
    ServiceName,
    string[]
  >;
  const instances = new Map<Killable, Instance>();
  const gone: Promise<unknown>[] = [];
  const armed = { fault: undefined as CallFault | undefined, expireHold: false };
  let inventoryAheadMs = 0;

  const factories = {
    'order-service': (dependencies: ServiceDependencies) =>
      createOrders(dependencies, {
        ...loadConfig(orderSettings, {}),
        ...{ ORDER_WAIT_MS: 5_000, SAGA_LEASE_MS: 400, SAGA_POLL_MS: 20 },
        failpoint: name => (name === 'order.saga.beforePin' && armed.expireHold ? expireHold() : undefined),
        client: callee => (callee === 'product-service' ? catalogue : faulty(callee, dependencies)),
      }),
    'inventory-service': (dependencies: ServiceDependencies) =>
      createInventory(
        { ...dependencies, clock: () => new Date(Date.now() + inventoryAheadMs) },
        { ...loadConfig(inventorySettings, {}), HOLD_TTL_MS: holdTtlMs, HOLD_SWEEP_INTERVAL_MS: 20 },
      ),
    'payment-service': (dependencies: ServiceDependencies) =>
      createPayments(dependencies, {
        ...loadConfig(paymentSettings, {}),
        ...{ PROVIDER_TIMEOUT_MS: 200, PAYMENT_SWEEP_MS: 50, PAYMENT_RETRY_MAX_MS: 200 },
      }),
  };

  async function start(name: Killable): Promise<void> {
    const connection = await createConnection(uris[name] ?? '').asPromise();
    const service = factories[name]({
      ...{ connection, bus, clock: systemClock, newId, logger: silentLogger(), random: () => 0.1 },
      discovery: staticDiscovery(addresses),
      signToken: createServiceTokenSigner(name, secret, systemClock),
      verify: {
        user: createAccessTokenVerifier({ jwksUri: issuer.jwksUri }),
        service: createServiceTokenVerifier(name, secret),
      },
      registry: createRegistry(name, { processMetrics: false }),
    });
    const listener = await listen(service.listener, { port: 0, host: '127.0.0.1' });
    await service.start();
    addresses[name].push(`http://127.0.0.1:${listener.port}`);
    instances.set(name, {
      connection,
      async kill() {
        addresses[name].splice(0);
        instances.delete(name);
        gone.push(listener.close(0), service.stop());
        await connection.getClient().close(true);
      },
    });
  }
  async function restart(name: Killable): Promise<void> {
    await instances.get(name)?.kill();
    await start(name);
  }

  /** Has the holds of the order that is about to pin them expire. */
  async function expireHold(): Promise<void> {
    armed.expireHold = false;
    inventoryAheadMs += holdTtlMs + 1_000;
    const stock = instances.get('inventory-service')?.connection.collection('stock');
    while (await stock?.findOne({ 'holds.pinned': false })) await new Promise(resolve => setTimeout(resolve, 10));
  }

  function faulty(callee: ServiceName, dependencies: ServiceDependencies): ServiceClient {
    const client = createServiceClient({ callee, ...dependencies });
    const lost = (): never => {
      throw new AppError('service_unavailable', { detail: 'lost' });
    };
    return {
      async call(call, answer) {
        const { fault } = armed;
        if (!fault || !call.path.endsWith(`/${fault.operation}`)) return client.call(call, answer);
        armed.fault = undefined;
        if (fault.kind === 'call lost') lost();
        if (fault.kind === 'callee killed') {
          const calling = client.call(call, answer);
          calling.catch(() => {});
          await restart(callee as Killable);
          return calling;
        }
        await client.call(call, answer);
        if (fault.kind === 'caller killed') await restart('order-service');
        return lost();
      },
    };
  }

  for (const name of killable) await start(name);
  return {
    bus,
    armed,
    restart,
    token: issuer.token,
    /** The database of a service, as its live instance sees it. */
    collection: (name: Killable, collection: string) => instances.get(name)!.connection.collection(collection),
    /** Asks until there is a final answer: a service may be down, or the order not decided. @throws after 30 s */
    async insist(
      name: Killable,
      method: string,
      path: string,
      options: Parameters<typeof send>[3],
    ): Promise<TestAnswer> {
      for (const until = performance.now() + 30_000; performance.now() < until; ) {
        const answer = await send(addresses[name][0] ?? 'http://127.0.0.1:9', method, path, options).catch(() => null);
        const isFinal = answer && answer.status < 500 && answer.status !== 202;
        if (isFinal && answer.body.code !== 'request_in_progress') return answer;
        await new Promise(resolve => setTimeout(resolve, 10));
      }
      throw new Error(`${method} ${path} has no answer after 30 s`);
    },
    serviceToken: (name: Killable) => createServiceTokenSigner('order-service', secret, systemClock)(name),
    async close() {
      await Promise.all([...instances.values()].map(instance => instance.kill()));
      await Promise.race([Promise.allSettled(gone), sleep(2_000, undefined, { ref: false })]);
      await bus.close();
      await Promise.all([busConnection.close(), issuer.close()]);
      await database.close();
    },
  };
}

/** The catalogue is not what is tested: everything is there, at one price. */
const catalogue: ServiceClient = {
  async call(call: Call, answer) {
    const { ids } = call.body as { ids: string[] };
    const price = { amount: unitPrice, currency: 'GBP' };
    return { status: 200, body: answer.parse({ products: ids.map(id => ({ id, sku: id, name: id, price })) }) };
  },
};
