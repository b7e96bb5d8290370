import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceName } from '@tradepost/shared/discovery';
import { createServiceClient } from '@tradepost/shared/http/client';
import type { Consumer } from '@tradepost/shared/messaging/eventBus';
import { createInbox } from '@tradepost/shared/messaging/inbox';
import { type Service, type ServiceDependencies, wireService } from '@tradepost/shared/service';
import type { OrderConfig } from './config.ts';
import { createDeadLetterController } from './controllers/deadLetterController.ts';
import { createOperationsController } from './controllers/operationsController.ts';
import { createOrderController } from './controllers/orderController.ts';
import type { Order } from './domain/order.ts';
import { createEventStore } from './events/eventStore.ts';
import { createOrderCounter } from './events/orderMetrics.ts';
import { createRelay } from './events/relay.ts';
import { subscribe } from './events/subscribers.ts';
import { createViewConfirmation, writeView } from './events/views.ts';
import { agreeOnSchemas } from './events/writtenSchemas.ts';
import { createCommitModel } from './models/commit.ts';
import { createOrderViewModel } from './models/orderView.ts';
import { createSagaModel } from './models/saga.ts';
import { createWrittenSchemaModel } from './models/writtenSchema.ts';
import { orderRoutes } from './routes/orderRoutes.ts';
import { createDrive } from './sagas/drive.ts';
import { createSagaMetrics } from './sagas/sagaMetrics.ts';
import { createSagaRunner } from './sagas/sagaRunner.ts';
import { createSagaStore, type SagaStore } from './sagas/sagaStore.ts';
import { createSagaWorker } from './sagas/sagaWorker.ts';
import { auditShopUseCase } from './services/auditShop.ts';
import { cancelOrderUseCase } from './services/cancelOrder.ts';
import { commandOrderUseCase } from './services/commandOrder.ts';
import { createOrderUseCase } from './services/createOrder.ts';
import { findOrdersUseCases } from './services/findOrders.ts';
import { deliverOrderUseCase, shipOrderUseCase } from './services/fulfilOrder.ts';
import { addressLookup, auditSources, inventoryCommands, paymentCommands, productLookup } from './services/ports.ts';
import { refundOrderUseCase } from './services/refundOrder.ts';

/** Wires order-service from its parts. */
export function createApp(dependencies: ServiceDependencies, config: OrderConfig): Service {
  const { connection, bus, clock, newId, random, logger, registry, tracer, discovery, signToken } = dependencies;
  const failpoint = config.failpoint ?? (() => {});
  const commits = createCommitModel(connection);
  const sagas = createSagaModel(connection);
  const views = createOrderViewModel(connection);
  const writtenSchemas = createWrittenSchemaModel(connection);
  const client =
    config.client ?? ((callee: ServiceName) => createServiceClient({ callee, discovery, signToken, random, registry }));
  const inventoryClient = client('inventory-service');
  const paymentClient = client('payment-service');
  const inventory = inventoryCommands(inventoryClient);
  const payment = paymentCommands(paymentClient);

  const eventStore = createEventStore(commits, clock, newId, createOrderCounter(registry));
  const sagaStore = createSagaStore(sagas, clock, config.SAGA_LEASE_MS);
  const wakeSaga = async (...saga: Parameters<SagaStore['wake']>): Promise<void> => {
    if (await sagaStore.wake(...saga)) worker.wake();
  };
  const relay = createRelay({
    ...{ commits, eventStore, bus, wakeSaga, clock, newId, logger, registry, failpoint },
    confirmView: createViewConfirmation(views),
    claimMs: config.RELAY_CLAIM_MS,
  });
  const appended = async (orderId: string, order: Order): Promise<void> => {
    relay.wake();
    // Lists show at once what a client has just been told; the relay writes whatever is missed here.
    if (order.status !== 'pending') await writeView(views, orderId, order);
  };
  const metrics = createSagaMetrics(registry, sagas, clock);
  const runner = createSagaRunner({
    ...{ eventStore, sagaStore, inventory, payment, appended, clock, random, logger, tracer, metrics, failpoint },
    maxAttempts: config.SAGA_MAX_ATTEMPTS,
    leaseMs: config.SAGA_LEASE_MS,
  });
  const worker = createSagaWorker({ sagaStore, runner, pollMs: config.SAGA_POLL_MS, logger });
  const drive = createDrive(eventStore, sagaStore, runner);

  const commandOrder = commandOrderUseCase(eventStore, appended);
  const controller = createOrderController({
    createOrder: createOrderUseCase({
      ...{ sagaStore, drive, clock, newId, failpoint },
      lookUpProducts: productLookup(client('product-service')),
      lookUpAddress: addressLookup(client('user-service')),
      waitMs: config.ORDER_WAIT_MS,
    }),
    find: findOrdersUseCases(eventStore, views, sagas),
    cancelOrder: cancelOrderUseCase(commandOrder, sagaStore, drive),
    shipOrder: shipOrderUseCase(commandOrder),
    deliverOrder: deliverOrderUseCase(commandOrder),
    refundOrder: refundOrderUseCase(eventStore, commandOrder, payment, newId),
  });

  const sources = auditSources(inventoryClient, paymentClient);
  const auditShop = auditShopUseCase({ eventStore, commits, sagas, views, sources, clock, pause: sleep });
  const operator = createOperationsController(sagaStore, worker.wake, auditShop);

  const inbox = createInbox(connection, clock);
  let consumers: Consumer[] = [];
  return wireService(
    {
      name: 'order-service',
      routes: orderRoutes(controller, operator, createDeadLetterController(bus)),
      async start() {
        await agreeOnSchemas(writtenSchemas);
        consumers = await subscribe(bus, inbox, {
          recordRefund: ({ orderId, ...refund }) => commandOrder(orderId, () => ({ type: 'RecordRefund', ...refund })),
          wake: orderId => wakeSaga({ _id: orderId }, true),
          erase: userId => sagaStore.erase(userId),
        });
        relay.start();
        worker.start();
      },
      async stop() {
        await Promise.all(consumers.map(consumer => consumer.stop()));
        await worker.stop();
        await relay.stop();
      },
    },
    dependencies,
  );
}
