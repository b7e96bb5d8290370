import { AppError } from '@tradepost/shared/errors';
import { decodeCursor, encodeCursor } from '@tradepost/shared/http/cursor';
import type { Actor } from '@tradepost/shared/http/route';
import { z } from 'zod';
import type { RecordedEvent } from '../domain/events.ts';
import { fold, type OrderStatus } from '../domain/order.ts';
import type { EventStore } from '../events/eventStore.ts';
import type { OrderViewModel } from '../models/orderView.ts';
import type { SagaModel } from '../models/saga.ts';
import { requireAccess } from './commandOrder.ts';
import type { FoundOrder } from './results.ts';

export interface ListOrdersQuery {
  /** Undefined for everybody's. */
  userId?: string | undefined;
  status?: OrderStatus | undefined;
  limit: number;
  cursor?: string | undefined;
}

export interface FindOrders {
  /**
   * An order as it is now, or as it was at a version or time.
   * @throws AppError `not_found`, also for somebody else's and for a time before the order
   */
  byId(
    actor: Actor,
    orderId: string,
    past?: { version?: number | undefined; at?: Date | undefined },
  ): Promise<FoundOrder>;
  /** The order's stream. @throws AppError `not_found` */
  events(actor: Actor, orderId: string): Promise<RecordedEvent[]>;
  /** Newest first. @throws AppError `invalid_cursor` */
  list(query: ListOrdersQuery): Promise<{ items: FoundOrder[]; nextCursor: string | null }>;
  /** Adds the address to an order that a use case has just changed. */
  withAddress(orderId: string, order: FoundOrder['order']): Promise<FoundOrder>;
}

const sort = 'newest';

export function findOrdersUseCases(eventStore: EventStore, views: OrderViewModel, sagas: SagaModel): FindOrders {
  const addresses = async (orders: readonly { _id: string; userId: string }[]) => {
    const users = [...new Set(orders.map(order => order.userId))];
    const found = await sagas
      .find({ userId: { $in: users }, _id: { $in: orders.map(order => order._id) } })
      .select({ shippingAddress: 1 })
      .lean();
    return new Map(found.map(saga => [saga._id, saga.shippingAddress]));
  };
  const withAddress: FindOrders['withAddress'] = async (orderId, order) => ({
    orderId,
    order,
    shippingAddress: (await addresses([{ _id: orderId, userId: order.userId }])).get(orderId),
  });
  const load = async (actor: Actor, orderId: string): Promise<RecordedEvent[]> => {
    const events = await eventStore.show(orderId);
    const created = events[0];
    if (created?.type !== 'OrderCreated') throw new AppError('not_found');
    requireAccess(actor, created.data);
    return events;
  };
  return {
    withAddress,
    events: load,
    async byId(actor, orderId, { version, at } = {}) {
      const events = await load(actor, orderId);
      const order = fold(until(events, { version, at }));
      if (!order || (version !== undefined && order.version !== version)) {
        throw new AppError('not_found', { detail: 'The order has no such version' });
      }
      return withAddress(orderId, order);
    },
    async list({ userId, status, limit, cursor }) {
      const after = decodeCursor(cursor, sort, z.tuple([z.string()]));
      const filter = {
        ...(userId === undefined ? {} : { userId }),
        ...(status === undefined ? {} : { status }),
        ...(after ? { _id: { $lt: after[0] } } : {}),
      };
      const rows = await views
        .find(filter)
        .sort({ _id: -1 })
        .limit(limit + 1)
        .lean();
      const page = rows.slice(0, limit);
      const byId = await addresses(page);
      const last = page.at(-1);
      return {
        items: page.map(row => ({ orderId: row._id, order: row, shippingAddress: byId.get(row._id) })),
        nextCursor: rows.length > limit && last ? encodeCursor(sort, [last._id]) : null,
      };
    },
  };
}

/** The events before the first one that is later. They stay in their order even where another instance's clock was behind. */
function until(
  events: readonly RecordedEvent[],
  { version = Number.POSITIVE_INFINITY, at }: { version?: number | undefined; at?: Date | undefined },
): readonly RecordedEvent[] {
  const later = events.findIndex(event => event.version > version || (at !== undefined && event.at > at));
  return later < 0 ? events : events.slice(0, later);
}
