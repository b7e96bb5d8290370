import { AppError } from '@tradepost/shared/errors';
import { type ControllerOf, reply, userOf } from '@tradepost/shared/http/route';
import type * as schemas from '../routes/orderSchemas.ts';
import { idempotencyKeyOf } from '../routes/orderSchemas.ts';
import type { CancelOrder } from '../services/cancelOrder.ts';
import type { CreateOrder } from '../services/createOrder.ts';
import type { FindOrders } from '../services/findOrders.ts';
import type { DeliverOrder, ShipOrder } from '../services/fulfilOrder.ts';
import type { RefundOrder } from '../services/refundOrder.ts';
import { orderBody } from './orderBody.ts';

export interface OrderUseCases {
  createOrder: CreateOrder;
  find: FindOrders;
  cancelOrder: CancelOrder;
  shipOrder: ShipOrder;
  deliverOrder: DeliverOrder;
  refundOrder: RefundOrder;
}

export interface OrderController {
  create: ControllerOf<typeof schemas.createOrder>;
  list: ControllerOf<typeof schemas.listOrders>;
  listOfUser: ControllerOf<typeof schemas.listOrdersOfUser>;
  get: ControllerOf<typeof schemas.getOrder>;
  events: ControllerOf<typeof schemas.getOrderEvents>;
  cancel: ControllerOf<typeof schemas.cancelOrder>;
  ship: ControllerOf<typeof schemas.shipOrder>;
  deliver: ControllerOf<typeof schemas.deliverOrder>;
  refund: ControllerOf<typeof schemas.refundOrder>;
}

export function createOrderController(useCases: OrderUseCases): OrderController {
  const { find } = useCases;
  const page = async (query: Parameters<FindOrders['list']>[0]) => {
    const { items, nextCursor } = await find.list(query);
    return reply(200, { items: items.map(orderBody), nextCursor });
  };
  return {
    async create(request) {
      const idempotencyKey = idempotencyKeyOf(request.header('idempotency-key'));
      if (!idempotencyKey) throw new AppError('idempotency_key_required');
      const placed = await useCases.createOrder({ userId: userOf(request).id, idempotencyKey, ...request.body });
      return reply(placed.final ? 201 : 202, orderBody(placed), { Location: `/api/orders/${placed.orderId}` });
    },
    list(request) {
      const actor = userOf(request);
      return page({ ...request.query, userId: actor.role === 'admin' ? undefined : actor.id });
    },
    listOfUser: request => page({ ...request.query, userId: request.params.userId }),
    async get(request) {
      const { version, at } = request.query;
      const past = { version, at: at === undefined ? undefined : new Date(at) };
      return reply(200, orderBody(await find.byId(userOf(request), request.params.id, past)));
    },
    async events(request) {
      const events = await find.events(userOf(request), request.params.id);
      return reply(200, { items: events.map(({ version, type, data, at }) => ({ version, type, data, at })) });
    },
    async cancel(request) {
      const { id } = request.params;
      const order = await useCases.cancelOrder(userOf(request), id, request.body?.reason ?? 'requested');
      return reply(200, orderBody(await find.withAddress(id, order)));
    },
    async ship(request) {
      const { id } = request.params;
      return reply(200, orderBody(await find.withAddress(id, await useCases.shipOrder(id, request.body))));
    },
    async deliver(request) {
      const { id } = request.params;
      return reply(200, orderBody(await find.withAddress(id, await useCases.deliverOrder(id))));
    },
    async refund(request) {
      const { id } = request.params;
      const header = request.header('idempotency-key');
      const idempotencyKey = idempotencyKeyOf(header);
      if (header !== undefined && !idempotencyKey) throw new AppError('idempotency_key_required');
      const order = await useCases.refundOrder({ orderId: id, ...request.body, idempotencyKey });
      return reply(200, orderBody(await find.withAddress(id, order)));
    },
  };
}
