import type { Clock } from '@tradepost/shared/clock';
import type { Logger } from '@tradepost/shared/logger';
import type { PaymentFailpoint } from '../domain/failpoints.ts';
import type { PaymentModel } from '../models/payment.ts';
import type { PaymentProvider } from '../providers/provider.ts';
import type { DueSteps } from './dueSteps.ts';
import type { PaymentMetrics } from './paymentMetrics.ts';
import type { PaymentSteps } from './paymentSteps.ts';
import type { ProviderCalls } from './providerCalls.ts';
import type { RefundSteps } from './refundSteps.ts';

/** What the use cases work with. */
export interface PaymentTools {
  model: PaymentModel;
  charges: PaymentSteps;
  refunds: RefundSteps;
  due: DueSteps;
  provider: PaymentProvider;
  ask: ProviderCalls;
  metrics: PaymentMetrics;
  failpoint: (name: PaymentFailpoint) => Promise<void> | void;
  clock: Clock;
  random: () => number;
  logger: Logger;
  /** Something is in an outbox. */
  wakeRelay: () => void;
}
