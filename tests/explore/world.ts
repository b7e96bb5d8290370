import { createHash } from 'node:crypto';
import type { Call } from '@tradepost/shared/http/client';
import type { Answer } from '@tradepost/shared/http/route';
import { silentLogger } from '@tradepost/shared/logger';
import { createRegistry } from '@tradepost/shared/observability/metrics';
import type { Service, ServiceDependencies } from '@tradepost/shared/service';
import type { Connection } from 'mongoose';
import { createApp as createInventory } from '../../inventory-service/src/app.ts';
import { createApp as createOrders } from '../../order-service/src/app.ts';
import { createApp as createPayments } from '../../payment-service/src/app.ts';
import { productCreated } from '../../shared/events/products.ts';
import { createMessage } from '../../shared/messaging/message.ts';
import { type SimulatedBus, simulateBus } from './bus.ts';
import { type SimulatedDatabase, simulateDatabase } from './database.ts';
import { type CallFault, invoke, type SimulatedNetwork, simulateNetwork } from './network.ts';
import { as, createScheduler, type Scheduler } from './scheduler.ts';
import { type SimulatedTime, simulateTime } from './time.ts';

export type ServiceKind = 'order' | 'inventory' | 'payment';

export interface Instance {
  name: string;
  kind: ServiceKind;
  service: Service;
}

export interface World {
  scheduler: Scheduler;
  time: SimulatedTime;
  database: SimulatedDatabase;
  bus: SimulatedBus;
  network: SimulatedNetwork;
  /** Live instances of a service. */
  instances(kind: ServiceKind): Instance[];
  /** Starts another instance of a service. */
  start(kind: ServiceKind): Promise<Instance>;
  /** Ends a process at this moment: nothing of it goes on, its callers get no answer. */
  kill(instance: Instance): void;
  /** Calls order-service as a client; undefined when the instance is killed before it answers. */
  ask(
    call: Call,
    user: { id: string; role?: 'customer' | 'admin' },
    headers?: Record<string, string>,
  ): Promise<Answer | { error: unknown } | undefined>;
  /** A database connection for looking on. */
  look(kind: ServiceKind): Connection;
  close(): void;
}

export interface WorldOptions {
  seed: number;
  /** Uniform in [0, 1), from the seed. */
  random: () => number;
  fault: (caller: string, label: string) => CallFault;
  /** Whether a write is durable only some time after it can be read. */
  journal: boolean;
  /** Product ids and their stock. */
  stock: Record<string, number>;
}

export const unitPrice = 500;

const logger = silentLogger();

/** The real services on simulated time, store, network and bus, in one process; nothing moves but by the scheduler. */
export async function createWorld(options: WorldOptions): Promise<World> {
  const scheduler = createScheduler();
  const time = simulateTime(scheduler, Date.UTC(2026, 0, 1));
  const database = simulateDatabase(scheduler, time.now, options);
  const bus = simulateBus(scheduler);
  const live = new Map<string, Instance>();
  const clients = new Map<string, Set<() => void>>();
  const started: Record<ServiceKind, number> = { order: 0, inventory: 0, payment: 0 };
  const ofKind = (kind: ServiceKind) => [...live.values()].filter(one => one.kind === kind);
  /** Who answers: a frozen process only when there is no other. */
  const anyOf = (kind: ServiceKind): Instance | undefined => {
    const awake = ofKind(kind).filter(one => !scheduler.isFrozen(one.name));
    const all = awake.length > 0 ? awake : ofKind(kind);
    return all[all.length > 1 ? Math.floor(options.random() * all.length) : 0];
  };
  const network = simulateNetwork(
    scheduler,
    service => {
      const instance = anyOf(service.replace('-service', '') as ServiceKind);
      return instance && { instance: instance.name, routes: instance.service.routes };
    },
    options.fault,
  );
  const start = async (kind: ServiceKind): Promise<Instance> => {
    started[kind] += 1;
    const name = `${kind}-${started[kind]}`;
    const connection = database.connection(kind);
    const dependencies = { ...common(name, time, options), connection, bus: bus.of(name) };
    const service = as(scheduler, name, () => factories[kind](dependencies, name, network));
    const instance = { name, kind, service };
    await as(scheduler, name, () => service.start());
    database.keepIndexes(kind);
    live.set(name, instance);
    await scheduler.quiet();
    return instance;
  };
  const world: World = {
    ...{ scheduler, time, database, bus, network, start },
    instances: ofKind,
    kill(instance) {
      scheduler.touch();
      live.delete(instance.name);
      scheduler.drop(instance.name);
      time.drop(instance.name);
      database.kill(instance.name);
      bus.disconnect(instance.name);
      network.disconnect(instance.name);
      for (const gone of clients.get(instance.name) ?? []) gone();
      scheduler.trace.push(`${instance.name}: KILLED`);
    },
    async ask(call, user, headers) {
      const instance = anyOf('order');
      if (!instance) return undefined;
      const actor = { id: user.id, role: user.role ?? 'customer' };
      const waiting = clients.get(instance.name) ?? new Set();
      clients.set(instance.name, waiting);
      scheduler.touch();
      return new Promise(resolve => {
        const gone = (): void => resolve(undefined);
        waiting.add(gone);
        as(scheduler, instance.name, () =>
          invoke(instance.service.routes, call, { actor, ...(headers ? { headers } : {}) }),
        )
          .then(resolve, (error: unknown) => resolve({ error }))
          .finally(() => waiting.delete(gone));
      });
    },
    look: kind => database.connection(kind),
    close() {
      for (const name of live.keys()) {
        scheduler.drop(name);
        time.drop(name);
      }
      time.end();
      database.close();
    },
  };
  for (const kind of ['inventory', 'payment', 'order'] as const) await start(kind);
  await openStock(world, options.stock);
  return world;
}

const factories: Record<
  ServiceKind,
  (dependencies: ServiceDependencies, name: string, network: SimulatedNetwork) => Service
> = {
  order: (dependencies, name, network) =>
    createOrders(dependencies, {
      ...{
        ORDER_WAIT_MS: 2_000,
        SAGA_LEASE_MS: 5_000,
        SAGA_MAX_ATTEMPTS: 1_000,
        SAGA_POLL_MS: 500,
        RELAY_CLAIM_MS: 10_000,
      },
      client: service => (service === 'product-service' ? catalogue : network.client(name, service)),
    }),
  inventory: dependencies =>
    createInventory(dependencies, { HOLD_TTL_MS: 10_000, HOLD_SWEEP_INTERVAL_MS: 5_000, LOW_STOCK_THRESHOLD: 0 }),
  payment: dependencies =>
    createPayments(dependencies, {
      ...{
        PAYMENT_PROVIDER: 'simulated',
        PROVIDER_TIMEOUT_MS: 1_000,
        PAYMENT_SWEEP_MS: 1_000,
        PAYMENT_RETRY_MAX_MS: 4_000,
      },
      ...{ PAYMENT_UNRESOLVED_AFTER_MS: 900_000, STRIPE_API_BASE: 'https://api.stripe.com' },
      ...{ STRIPE_API_KEY: undefined, STRIPE_WEBHOOK_SECRET: undefined },
    }),
};

/** The catalogue is not explored: it answers at once, with everything there at one price. */
const catalogue = {
  async call(call: Call, answer: { parse(body: unknown): unknown }) {
    const { ids } = call.body as { ids: string[] };
    const price = { amount: unitPrice, currency: 'GBP' };
    return {
      status: 200,
      body: answer.parse({ products: ids.map(id => ({ id, sku: id, name: id, price })) }) as never,
    };
  },
};

function common(
  name: string,
  time: SimulatedTime,
  options: WorldOptions,
): Omit<ServiceDependencies, 'connection' | 'bus'> {
  let ids = 0;
  const never = () => Promise.reject(new Error('nobody asks over HTTP'));
  return {
    discovery: { instances: () => [], close: async () => {} },
    signToken: () => '',
    verify: { user: never, service: never },
    logger,
    registry: createRegistry(name, { processMetrics: false }),
    clock: () => new Date(time.now()),
    // Ids grow with time, as UUIDs of version 7 do, and are the same for the same seed.
    newId() {
      ids += 1;
      const digest = createHash('md5').update(`${options.seed} ${name} ${ids}`).digest('hex');
      return `${time.now().toString(16).padStart(12, '0')}-${digest.slice(0, 20)}`;
    },
    random: options.random,
  };
}

/** Opens the stock by the message that a new product makes, before anything is explored. */
async function openStock(world: World, stock: Record<string, number>): Promise<void> {
  for (const [productId, initialStock] of Object.entries(stock)) {
    const price = { amount: unitPrice, currency: 'GBP' };
    const message = createMessage(productCreated, {
      ...{ id: `created-${productId}`, source: 'product-service', subject: productId, at: new Date(world.time.now()) },
      data: {
        ...{ productId, sku: productId, name: productId, category: null, price, initialStock },
        status: 'active',
        version: 1,
      },
    });
    void world.bus.of('world').publish('products', message);
  }
  await settle(world, async () => world.bus.pending() === 0);
}

/** How late timers are when nothing else happens: less than a lease, more than most polls, which find nothing to do. */
const oversleepMs = 2_500;

/** Lets everything happen in order, with no faults, until `isDone`. @throws when it does not end */
export async function settle(world: World, isDone: () => Promise<boolean>, maxSteps = 20_000): Promise<void> {
  for (let step = 0; step < maxSteps; step += 1) {
    await world.scheduler.quiet();
    const [first] = world.scheduler.choices();
    if (first) await world.scheduler.take(first);
    else if (await isDone()) return;
    else await world.time.advance(oversleepMs);
  }
  throw new Error('the world does not come to rest');
}
