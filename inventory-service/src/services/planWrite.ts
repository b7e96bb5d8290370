import type { NewId } from '@tradepost/shared/ids';
import type { StockCommand } from '../domain/commands.ts';
import { decideAll } from '../domain/decideAll.ts';
import type { Hold, Movement, Stock } from '../domain/stock.ts';
import { messagesOf, replaceOutdated } from '../events/publishers.ts';
import type { StockDocument } from '../models/stock.ts';

export interface WritePlan {
  /** Update operators that make `next` of the document that was read. */
  update: Record<string, unknown>;
  /** The document as it is after the update. */
  next: StockDocument;
  /** What each command is told, in their order. */
  outcomes: unknown[];
  /** Whether there are movements and messages to carry on. */
  changed: boolean;
}

/** Turns commands on one product into the one update that does them all. It changes the document even if they change nothing. */
export function planWrite(
  document: StockDocument,
  commands: readonly StockCommand<unknown>[],
  known: { history: readonly Movement[]; at: Date },
  options: { newId: NewId; lowStockThreshold: number; traceparent: string | undefined },
): WritePlan {
  const { history, at } = known;
  const { newId } = options;
  const before = stockOf(document);
  const { stock: after, movements, outcome } = decideAll(before, commands, history, at);
  const changed = movements.length > 0;
  const messages = messagesOf({ ...options, productId: document._id, before, after, movements, at });
  const outbox = replaceOutdated(document.outbox, messages);
  const added = addedHolds(before.holds, after.holds);
  const { holds, releasedOrders, ...numbers } = after;
  const revision = newId();
  const update = {
    $set: {
      revision,
      ...(changed && { ...numbers, updatedAt: at }),
      ...(!added && { holds }),
      ...(releasedOrders !== before.releasedOrders && { releasedOrders }),
      ...(outbox && { outbox }),
    },
    $push: {
      ...(added && added.length > 0 && { holds: { $each: added } }),
      ...(changed && { movements: { $each: movements } }),
      ...(changed && !outbox && { outbox: { $each: messages } }),
    },
  };
  const next = {
    ...document,
    ...after,
    revision,
    movements: [...document.movements, ...movements],
    outbox: outbox ?? [...document.outbox, ...messages],
    ...(changed && { updatedAt: at }),
  };
  return { update, next, outcomes: outcome, changed };
}

function stockOf({ onHand, reserved, seq, holds, releasedOrders }: StockDocument): Stock {
  return { onHand, reserved, seq, holds, releasedOrders };
}

/** The holds at the end of `after` when all others are as before; undefined when some changed or are gone. */
function addedHolds(before: readonly Hold[], after: readonly Hold[]): readonly Hold[] | undefined {
  return before.every((hold, index) => hold === after[index]) ? after.slice(before.length) : undefined;
}
