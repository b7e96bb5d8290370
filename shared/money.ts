import { z } from 'zod';

/** Largest amount the shop handles in one value, in minor units: leaves room for sums within 2^53. */
export const maxAmount = 1_000_000_000_000;

/** An integer in minor units (pence, cents). */
export const amount = z
  .int()
  .min(0)
  .max(maxAmount)
  .meta({ description: 'Minor units, as pence or cents', example: 1299 });

/** ISO 4217 code. */
export const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'must be a three-letter ISO 4217 code')
  .meta({ description: 'ISO 4217', example: 'GBP' });

export const money = z.strictObject({ amount, currency }).meta({ id: 'Money' });

/** Money as other services tell of it, in messages and answers: a later release may say more. */
export const receivedMoney = z.object({ amount, currency });

/** Money as an integer amount in minor units of an ISO 4217 currency. */
export type Money = z.infer<typeof money>;
