import { z } from 'zod';
import { id } from '../http/schemas.ts';

/** Limits of an order, the same for everyone who handles its lines. */
export const maxLines = 1_000;
export const maxQuantity = 100_000;

/** `POST /internal/reservations` */
export const reserveRequest = z.strictObject({
  orderId: id,
  items: z
    .array(z.strictObject({ productId: id, quantity: z.int().min(1).max(maxQuantity) }))
    .min(1)
    .max(maxLines),
});
export type ReserveRequest = z.infer<typeof reserveRequest>;

/** 201 when held by this call, 200 when the order held all of it already. */
export const reserveAnswer = z.object({
  holds: z.array(z.object({ productId: z.string(), holdId: z.string(), quantity: z.int().positive() })),
});
export type ReserveAnswer = z.infer<typeof reserveAnswer>;

/** Member `shortages` of `insufficient_stock`. */
export const shortages = z.array(
  z.object({ productId: z.string(), requested: z.int().positive(), available: z.int().nonnegative() }),
);
export type Shortages = z.infer<typeof shortages>;

/** `POST /internal/reservations/:orderId/pin` and `…/commit`; each hold with the product that it is on. */
export const holdsRequest = z.strictObject({
  holds: z
    .array(z.strictObject({ productId: id, holdId: id }))
    .min(1)
    .max(maxLines),
});
export type HoldsRequest = z.infer<typeof holdsRequest>;

/** `POST /internal/reservations/:orderId/release` */
export const releaseRequest = z.strictObject({ productIds: z.array(id).min(1).max(maxLines) });

export const done = z.object({ done: z.literal(true) });

/** `GET /internal/audit`: a page of products, each with its holds and with what does not add up. */
export const auditedProducts = z.object({
  items: z.array(
    z.object({
      productId: z.string(),
      onHand: z.int(),
      reserved: z.int(),
      /** Number of the newest movement. */
      seq: z.int(),
      holds: z.array(
        z.object({
          id: z.string(),
          orderId: z.string(),
          quantity: z.int(),
          pinned: z.boolean(),
          expiresAt: z.iso.datetime().nullable(),
        }),
      ),
      discrepancies: z.array(z.object({ code: z.string(), expected: z.int(), actual: z.int() })),
    }),
  ),
  nextCursor: z.string().nullable(),
});
export type AuditedProducts = z.infer<typeof auditedProducts>;

/** `POST /internal/audit/orders` */
export const auditOrdersRequest = z.strictObject({
  orders: z
    .array(z.strictObject({ orderId: id, productIds: z.array(id).min(1).max(maxLines) }))
    .min(1)
    .max(100),
});

/** Pieces that an order holds of a product, those of them pinned, and pieces sold to it and not returned. */
export const orderStocks = z.object({
  items: z.array(
    z.object({
      orderId: z.string(),
      productId: z.string(),
      held: z.int().nonnegative(),
      pinned: z.int().nonnegative(),
      sold: z.int(),
    }),
  ),
});
export type OrderStocks = z.infer<typeof orderStocks>;
