import { integer } from '@tradepost/shared/config';
import type { ServiceName } from '@tradepost/shared/discovery';
import type { ServiceClient } from '@tradepost/shared/http/client';

/** Settings of this service beside the common ones. Times in milliseconds. */
export const settings = {
  /** How long `POST /api/orders` waits for the end before it answers 202. */
  ORDER_WAIT_MS: integer(0, 14_000, 10_000),
  /** How long a worker may hold an order without a sign of life. */
  SAGA_LEASE_MS: integer(1_000, 600_000, 15_000),
  /** Failed runs in a row after which an order waits for the operator. */
  SAGA_MAX_ATTEMPTS: integer(1, 10_000, 200),
  /** How often abandoned orders are looked for. */
  SAGA_POLL_MS: integer(10, 60_000, 500),
  /** How long an instance keeps events that it publishes from the others; more than a publish takes. */
  RELAY_CLAIM_MS: integer(1_000, 600_000, 10_000),
};

/**
 * A named point of the code at which tests end, freeze or fail the process; does nothing otherwise.
 */
export type Failpoint = (name: string) => Promise<void> | void;

export interface OrderConfig {
  ORDER_WAIT_MS: number;
  SAGA_LEASE_MS: number;
  SAGA_MAX_ATTEMPTS: number;
  SAGA_POLL_MS: number;
  RELAY_CLAIM_MS: number;
  failpoint?: Failpoint;
  /** How other services are called; over HTTP unless a test brings a network of its own. */
  client?: (callee: ServiceName) => ServiceClient;
}
