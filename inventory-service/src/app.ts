import type { Consumer } from '@tradepost/shared/messaging/eventBus';
import { createInbox } from '@tradepost/shared/messaging/inbox';
import { createOutboxRelay } from '@tradepost/shared/messaging/outbox';
import { type Service, type ServiceDependencies, wireService } from '@tradepost/shared/service';
import type { InventoryConfig } from './config.ts';
import { createAuditController } from './controllers/auditController.ts';
import { createReservationController } from './controllers/reservationController.ts';
import { createStockController } from './controllers/stockController.ts';
import { subscribe } from './events/subscribers.ts';
import { createRoutes } from './routes/routes.ts';
import { createInventory } from './services/inventory.ts';
import { createWorker } from './services/worker.ts';

/** How often movements that another instance left behind are looked for, in milliseconds. */
const carryIntervalMs = 5_000;
/** Milliseconds of changes that are told together: a product that is sold twice meanwhile makes one message. */
const gatherMs = 200;
/** Milliseconds of movements that go to the ledger together; not while the order that made them is being placed. */
const drainDelayMs = 1_000;

/** Wires inventory-service: stock, holds on it, and the ledger of its movements. */
export function createApp(dependencies: ServiceDependencies, config: InventoryConfig): Service {
  const { bus, clock, newId, logger, registry } = dependencies;
  const { failpoint = () => {}, HOLD_SWEEP_INTERVAL_MS: sweepIntervalMs } = config;
  const inventory = createInventory({ ...dependencies, onChange: () => wakeAll() }, config);

  const publish: typeof bus.publish = async (exchange, message) => {
    await failpoint('inventory.publish.before');
    await bus.publish(exchange, message);
    await failpoint('inventory.publish.after');
  };
  const relay = createOutboxRelay({
    ...{ sources: [inventory.stocks], bus: { publish }, clock, newId, logger, registry, gatherMs },
  });
  const drainer = createWorker({
    ...{ name: 'ledger drain', intervalMs: carryIntervalMs, wakeDelayMs: drainDelayMs, logger },
    work: inventory.drainAll,
  });
  const wakeAll = (): void => {
    relay.wake();
    drainer.wake();
  };
  const sweeper = createWorker({
    ...{ name: 'hold sweep', intervalMs: sweepIntervalMs, wakeDelayMs: sweepIntervalMs, logger },
    work: inventory.sweepHolds,
  });

  const routes = createRoutes({
    stock: createStockController(inventory.readStock, inventory.adjustStock),
    reservation: createReservationController(inventory.reserveStock, inventory.settleHolds),
    audit: createAuditController(inventory.audit),
  });
  const handlers = { openStock: inventory.openStock, release: inventory.settleHolds.release };
  const inbox = createInbox(dependencies.connection, clock);
  let consumers: Consumer[] = [];
  return wireService(
    {
      name: 'inventory-service',
      routes,
      async start() {
        relay.start();
        drainer.start();
        sweeper.start();
        if (consumers.length === 0) consumers = await subscribe(bus, inbox, handlers);
      },
      async stop() {
        await Promise.all(consumers.splice(0).map(consumer => consumer.stop()));
        await sweeper.stop();
        await drainer.stop();
        await relay.stop();
      },
    },
    dependencies,
  );
}
