import { newId } from '@tradepost/shared/ids';
import {
  applyMovement,
  type Movement,
  maxReleasedOrders,
  nextMovement,
  type Stock,
} from '../../inventory-service/src/domain/stock.ts';
import type { StockDocument } from '../../inventory-service/src/models/stock.ts';
import type { Databases, Row } from './databases.ts';

/** Numbers in copied movements that follow on each other over all orders, and the stock that these lead to. */
export interface Books {
  /** Gives a copied document its place; movements have one among those of their product. */
  enter(name: string, row: Row): void;
  /** Writes that stock. @throws Error when the shop has changed one meanwhile */
  writeStock(): Promise<void>;
}

/** @param databases those of a shop that is at rest */
export async function openBooks(databases: Databases): Promise<Books> {
  const stocks = databases.collection('inventory-service/stock');
  const documents = (await stocks.find().toArray()) as unknown as StockDocument[];
  const shelf = new Map<string, Stock>(documents.map(({ _id, ...stock }) => [_id, stock]));

  function enterMovement(row: Row): void {
    const { productId, type, quantity, orderId } = row as unknown as Movement & { productId: string };
    const before = shelf.get(productId);
    if (!before) throw new Error(`no stock is kept of ${productId}`);
    const next = nextMovement(before, type, { quantity }, row.at);
    const { seq, onHandAfter, reservedAfter } = next;
    Object.assign(row, { seq, onHandAfter, reservedAfter });
    const released = type === 'release' || type === 'return' ? [orderId as string] : [];
    const releasedOrders = [...before.releasedOrders, ...released].slice(-maxReleasedOrders);
    shelf.set(productId, { ...applyMovement(before, next), ...(released.length > 0 && { releasedOrders }) });
  }

  return {
    enter(name, row) {
      if (name === 'inventory-service/ledger') enterMovement(row);
    },
    async writeStock() {
      for (const { _id, revision } of documents) {
        const { onHand, reserved, seq, releasedOrders } = shelf.get(_id) as Stock;
        const $set = { onHand, reserved, seq, releasedOrders, revision: newId() };
        const { matchedCount } = await stocks.updateOne({ _id, revision }, { $set });
        if (matchedCount === 0) throw new Error(`the shop has changed the stock of ${_id} while orders were made up`);
      }
    },
  };
}
