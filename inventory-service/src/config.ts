import { integer } from '@tradepost/shared/config';

/** Settings of this service beside the common ones. Times in milliseconds. */
export const settings = {
  /** How long a hold waits for its payment before it goes back to stock. */
  HOLD_TTL_MS: integer(100, 86_400_000, 900_000),
  /** How often holds whose time is over are looked for. */
  HOLD_SWEEP_INTERVAL_MS: integer(10, 600_000, 2_000),
  /** Available pieces at or below which a product's stock is low. */
  LOW_STOCK_THRESHOLD: integer(0, 1_000_000, 5),
};

/** A named point of the code at which tests end, freeze or fail the process; does nothing otherwise. */
export type Failpoint = (name: string) => Promise<void> | void;

export interface InventoryConfig {
  HOLD_TTL_MS: number;
  HOLD_SWEEP_INTERVAL_MS: number;
  LOW_STOCK_THRESHOLD: number;
  failpoint?: Failpoint;
}
