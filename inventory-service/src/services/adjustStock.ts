import { AppError } from '@tradepost/shared/errors';
import type { NewId } from '@tradepost/shared/ids';
import { type Adjustment, adjust } from '../domain/commands.ts';
import { maxOnHand } from '../domain/stock.ts';
import type { StockWriter } from './stockWriter.ts';

/**
 * Counts a product's stock anew or adds and removes pieces.
 * @throws AppError `not_found` · `below_reserved` · `invalid_request` when the stock would be larger than the largest
 */
export function createAdjustStock(
  writer: StockWriter,
  newId: NewId,
): (productId: string, adjustment: Adjustment) => Promise<void> {
  return async (productId, adjustment) => {
    const outcome = await writer.apply(productId, adjust(newId(), adjustment, maxOnHand));
    if (!outcome) throw new AppError('not_found', { detail: 'No stock is kept of this product' });
    if (outcome.kind === 'adjusted') return;
    const { onHand, reserved } = outcome.stock;
    if (outcome.wanted < reserved) throw new AppError('below_reserved', { members: { onHand, reserved } });
    throw new AppError('invalid_request', {
      errors: [{ path: 'adjustBy', message: `leaves more than ${maxOnHand} on hand` }],
    });
  };
}
