import { integer } from '@tradepost/shared/config';

/** Settings of product-service besides the common ones. */
export const settings = {
  /** Products kept in memory as clients read them, 32 MB of them at most; 0 keeps none. */
  PRODUCT_CACHE_SIZE: integer(0, 1_000_000, 20_000),
  /** Milliseconds without a byte after which an import or export is given up. */
  STREAM_IDLE_MS: integer(100, 3_600_000, 30_000),
};

export interface ProductConfig {
  PRODUCT_CACHE_SIZE: number;
  STREAM_IDLE_MS: number;
}
