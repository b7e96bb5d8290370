import { get, post, type Route } from '@tradepost/shared/http/route';
import type { DeadLetterController } from '../controllers/deadLetterController.ts';
import type { OperationsController } from '../controllers/operationsController.ts';
import type { OrderController } from '../controllers/orderController.ts';
import * as operations from './operationSchemas.ts';
import * as schemas from './orderSchemas.ts';

export const orderRoutes = (
  orders: OrderController,
  operator: OperationsController,
  letters: DeadLetterController,
): Route[] => [
  post('/api/orders', 'user', schemas.createOrder, orders.create),
  get('/api/orders', 'user', schemas.listOrders, orders.list),
  get('/api/orders/user/:userId', 'self', schemas.listOrdersOfUser, orders.listOfUser),
  get('/api/orders/:id', 'owner', schemas.getOrder, orders.get),
  get('/api/orders/:id/events', 'owner', schemas.getOrderEvents, orders.events),
  post('/api/orders/:id/cancel', 'owner', schemas.cancelOrder, orders.cancel),
  post('/api/orders/:id/ship', 'admin', schemas.shipOrder, orders.ship),
  post('/api/orders/:id/deliver', 'admin', schemas.deliverOrder, orders.deliver),
  post('/api/orders/:id/refund', 'admin', schemas.refundOrder, orders.refund),
  get('/api/operations/sagas', 'admin', operations.listSagas, operator.listSagas),
  get('/api/operations/audit', 'admin', operations.auditShop, operator.auditShop),
  post('/api/operations/sagas/:orderId/retry', 'admin', operations.retrySaga, operator.retrySaga),
  get('/api/operations/dead-letters', 'admin', operations.listDeadLetters, letters.list),
  post('/api/operations/dead-letters/:id/replay', 'admin', operations.replayDeadLetter, letters.replay),
];
