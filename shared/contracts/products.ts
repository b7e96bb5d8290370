import { z } from 'zod';
import { id } from '../http/schemas.ts';
import { receivedMoney } from '../money.ts';

/** `POST /internal/products/lookup` */
export const lookupRequest = z.strictObject({ ids: z.array(id).min(1).max(1_000) });

/** Active products among the ids, at their price of this moment; ids that are unknown or archived are left out. */
export const lookupAnswer = z.object({
  products: z.array(z.object({ id: z.string(), sku: z.string(), name: z.string(), price: receivedMoney })),
});
export type LookupAnswer = z.infer<typeof lookupAnswer>;
