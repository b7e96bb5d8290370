import { unitPrice } from './orderParts.ts';

export type Token = 'tok_visa' | 'tok_declined' | 'tok_flaky' | 'tok_timeout';

export type Action =
  | { type: 'place'; quantity: number; token: Token; holdExpires: boolean }
  | { type: 'repeat'; order: number }
  | { type: 'cancel'; order: number }
  | { type: 'ship'; order: number }
  | { type: 'deliver'; order: number }
  | { type: 'refund'; order: number; id: string; amount: number | undefined };

export interface ModelOrder {
  status: 'confirmed' | 'cancelled' | 'shipped' | 'delivered';
  version: number;
  quantity: number;
  captured: number;
  refunds: Record<string, number>;
  /** What its creation was answered, for ever. */
  answer: string;
}

/** A shop with one product and no network, store or time: all that its customers can tell of it. */
export interface Model {
  stock: number;
  orders: ModelOrder[];
}

export const refunded = (order: ModelOrder): number =>
  Object.values(order.refunds).reduce((sum, amount) => sum + amount, 0);

/** Does an action, and returns its answer: `200`, or status and code. */
export function act(model: Model, action: Action): string {
  if (action.type === 'place') return place(model, action);
  const order = model.orders[action.order] as ModelOrder;
  switch (action.type) {
    case 'repeat':
      return order.answer;
    case 'cancel':
      return cancel(model, order);
    case 'ship':
      if (order.status === 'shipped') return '200';
      return move(order, 'confirmed', 'shipped');
    case 'deliver':
      if (order.status === 'delivered') return '200';
      return move(order, 'shipped', 'delivered');
    case 'refund':
      return refund(order, action.id, action.amount);
  }
}

function place(model: Model, { quantity, token, holdExpires }: Extract<Action, { type: 'place' }>): string {
  const refuse = (version: number, answer: string): string => {
    model.orders.push({ status: 'cancelled', version, quantity, captured: 0, refunds: {}, answer });
    return answer;
  };
  if (quantity > model.stock) return refuse(2, '409 insufficient_stock');
  if (holdExpires) return refuse(3, '409 hold_gone');
  if (token === 'tok_declined') return refuse(4, '402 payment_declined');
  model.stock -= quantity;
  const captured = quantity * unitPrice;
  model.orders.push({ status: 'confirmed', version: 4, quantity, captured, refunds: {}, answer: '201' });
  return '201';
}

function cancel(model: Model, order: ModelOrder): string {
  if (order.status === 'cancelled') return '200';
  if (order.status !== 'confirmed') return '409 invalid_transition';
  const rest = order.captured - refunded(order);
  order.status = 'cancelled';
  order.version += rest > 0 ? 2 : 1;
  if (rest > 0) order.refunds.cancel = rest;
  model.stock += order.quantity;
  return '200';
}

function move(order: ModelOrder, from: ModelOrder['status'], to: ModelOrder['status']): string {
  if (order.status !== from) return '409 invalid_transition';
  order.status = to;
  order.version += 1;
  return '200';
}

function refund(order: ModelOrder, id: string, amount: number | undefined): string {
  const known = order.refunds[id];
  if (known !== undefined) return amount === undefined || amount === known ? '200' : '422 idempotency_key_reused';
  if (order.captured === 0) return '409 invalid_transition';
  const left = order.captured - refunded(order);
  if (left === 0 || (amount ?? 0) > left) return '409 refund_exceeds_capture';
  order.refunds[id] = amount ?? left;
  order.version += 1;
  return '200';
}
