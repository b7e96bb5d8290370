import type { HoldsRequest } from '@tradepost/shared/contracts/inventory';
import { AppError } from '@tradepost/shared/errors';
import { commit, pin, release, type StockCommand } from '../domain/commands.ts';
import { applyToEach } from './applyToEach.ts';
import type { StockWriter } from './stockWriter.ts';

/** What happens to holds after they were made; every call may be repeated. */
export interface SettleHolds {
  /** Makes all named holds of the order safe from expiry. @throws AppError `hold_gone` with those that are not there */
  pin(orderId: string, holds: HoldsRequest['holds']): Promise<void>;
  /** Sells all named holds. @throws AppError `hold_gone` with those that are neither pinned nor sold */
  commit(orderId: string, holds: HoldsRequest['holds']): Promise<void>;
  /** Gives back whatever the order holds of the products, and what was sold to it. */
  release(orderId: string, productIds: readonly string[]): Promise<void>;
}

export function createSettleHolds(writer: StockWriter): SettleHolds {
  async function applyToAll(
    holds: HoldsRequest['holds'],
    command: (holdId: string) => StockCommand<string>,
  ): Promise<void> {
    const outcomes = await applyToEach(writer, holds, ({ holdId }) => command(holdId));
    const gone = holds.filter((_, index) => (outcomes[index] ?? 'gone') === 'gone').map(({ holdId }) => holdId);
    if (gone.length > 0) throw new AppError('hold_gone', { members: { holdIds: gone } });
  }
  return {
    pin: (orderId, holds) => applyToAll(holds, holdId => pin(orderId, holdId)),
    commit: (orderId, holds) => applyToAll(holds, holdId => commit(orderId, holdId)),
    async release(orderId, productIds) {
      const products = [...new Set(productIds)].map(productId => ({ productId }));
      await applyToEach(writer, products, () => release(orderId));
    },
  };
}
