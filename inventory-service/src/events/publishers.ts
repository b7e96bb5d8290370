import { lowStock, reservationExpired, stockChanged } from '@tradepost/shared/events/inventory';
import { createMessage, type Message, type MessageDefinition } from '@tradepost/shared/messaging/message';
import { availableOf, type Movement, type Stock } from '../domain/stock.ts';

export interface StockChange {
  productId: string;
  /** Undefined when the stock was opened. */
  before: Stock | undefined;
  after: Stock;
  movements: readonly Movement[];
  lowStockThreshold: number;
  newId: () => string;
  at: Date;
  traceparent: string | undefined;
}

/** The messages that a change of stock makes: one about the stock as it is now, one per expired hold, one when it got low. */
export function messagesOf(change: StockChange): Message[] {
  const { productId, before, after, movements, lowStockThreshold: threshold } = change;
  if (movements.length === 0) return [];
  const make = <Data>(definition: MessageDefinition<Data>, data: Data) =>
    createMessage(definition, {
      id: change.newId(),
      source: 'inventory-service',
      subject: productId,
      at: change.at,
      traceparent: change.traceparent,
      data,
    });
  const available = availableOf(after);
  const low = available <= threshold;
  const { onHand, reserved, seq: version } = after;
  const messages: Message[] = [make(stockChanged, { productId, onHand, reserved, available, low, version })];
  if (low && before && availableOf(before) > threshold)
    messages.push(make(lowStock, { productId, available, threshold }));
  for (const { type, orderId, holdId, quantity } of movements) {
    if (type === 'expire' && orderId && holdId) {
      messages.push(make(reservationExpired, { orderId, productId, holdId, quantity }));
    }
  }
  return messages;
}

const tellsStock = ({ type }: Message) => type === stockChanged.type;

/**
 * The outbox with new messages instead of older ones that they outdate; undefined when there are none to replace. So a
 * hot product, or one whose messages cannot be published for hours, has one message about its stock at a time.
 */
export function replaceOutdated(outbox: readonly Message[], added: readonly Message[]): Message[] | undefined {
  return added.some(tellsStock) && outbox.some(tellsStock)
    ? [...outbox.filter(message => !tellsStock(message)), ...added]
    : undefined;
}

/** Whether nothing but the stock is told: writing such an outbox again never repeats a message that was published. */
export const tellsOnlyStock = (outbox: readonly Message[]) => outbox.every(tellsStock);
