import type { Order } from '../domain/order.ts';
import type { CommandOrder } from './commandOrder.ts';

/** @throws AppError `not_found`, `invalid_transition` unless the order is confirmed */
export type ShipOrder = (orderId: string, shipment: { carrier: string; trackingNumber: string }) => Promise<Order>;

export const shipOrderUseCase =
  (commandOrder: CommandOrder): ShipOrder =>
  (orderId, shipment) =>
    commandOrder(orderId, () => ({ type: 'Ship', ...shipment }));

/** @throws AppError `not_found`, `invalid_transition` unless the order is shipped */
export type DeliverOrder = (orderId: string) => Promise<Order>;

export const deliverOrderUseCase =
  (commandOrder: CommandOrder): DeliverOrder =>
  orderId =>
    commandOrder(orderId, () => ({ type: 'Deliver' }));
