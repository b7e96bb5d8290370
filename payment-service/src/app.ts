import type { Consumer } from '@tradepost/shared/messaging/eventBus';
import { createInbox } from '@tradepost/shared/messaging/inbox';
import { createOutboxRelay } from '@tradepost/shared/messaging/outbox';
import { type Service, type ServiceDependencies, wireService } from '@tradepost/shared/service';
import { type PaymentConfig, stripeSettings } from './config.ts';
import { createChargeController } from './controllers/chargeController.ts';
import { createPaymentController } from './controllers/paymentController.ts';
import { subscribe } from './events/subscribers.ts';
import { createPaymentModel } from './models/payment.ts';
import { createProviderEventModel } from './models/providerEvent.ts';
import type { PaymentProvider } from './providers/provider.ts';
import { createSimulatedProvider } from './providers/simulated.ts';
import { createStripeProvider } from './providers/stripe.ts';
import { paymentRoutes } from './routes/paymentRoutes.ts';
import { createPaymentAudit } from './services/auditPayments.ts';
import { cancelForMessage } from './services/cancelPayment.ts';
import { createDueSteps } from './services/dueSteps.ts';
import { handleWebhook } from './services/handleWebhook.ts';
import { createPaymentMetrics } from './services/paymentMetrics.ts';
import { createPaymentSteps } from './services/paymentSteps.ts';
import type { PaymentTools } from './services/paymentTools.ts';
import { createProviderCalls } from './services/providerCalls.ts';
import { createReadPayments } from './services/readPayments.ts';
import { createRefundSteps } from './services/refundSteps.ts';
import { createSweeper } from './services/sweepPayments.ts';
import { createTracker } from './services/tracker.ts';

/** How long a step's own worker has after the provider's time is over, in milliseconds, before the sweeper looks. */
const graceMs = 1_000;

/** Wires payment-service: one payment per order, a provider that moves the money, and a sweeper that asks it again. */
export function createApp(dependencies: ServiceDependencies, config: PaymentConfig): Service {
  const { connection, bus, clock, newId, random, logger, registry } = dependencies;
  const failpoint = config.failpoint ?? (() => {});
  const provider = config.provider ?? createProvider(dependencies, config);
  const model = createPaymentModel(connection);
  const events = createProviderEventModel(connection);
  const metrics = createPaymentMetrics(registry);
  const stepTools = { clock, newId, graceMs: config.PROVIDER_TIMEOUT_MS + graceMs };
  const relay = createOutboxRelay({
    sources: [model],
    bus: {
      ...bus,
      async publish(exchange, message) {
        await failpoint('payment.publish.before');
        await bus.publish(exchange, message);
        await failpoint('payment.publish.after');
      },
    },
    ...{ clock, newId, logger, registry },
  });
  const tools: PaymentTools = {
    ...{ model, provider, metrics, failpoint, clock, random, logger },
    charges: createPaymentSteps(model, stepTools),
    refunds: createRefundSteps(model, stepTools),
    due: createDueSteps(model, clock),
    ask: createProviderCalls({ provider, timeoutMs: config.PROVIDER_TIMEOUT_MS, clock, metrics }),
    wakeRelay: () => relay.wake(),
  };
  const sweeper = createSweeper(tools, {
    everyMs: config.PAYMENT_SWEEP_MS,
    retryMaxMs: config.PAYMENT_RETRY_MAX_MS,
    // A question and a look-up, each as long as the provider may take.
    leaseMs: 2 * config.PROVIDER_TIMEOUT_MS + graceMs,
    unresolvedAfterMs: config.PAYMENT_UNRESOLVED_AFTER_MS,
  });
  const tracker = createTracker();
  const payments = createPaymentController({
    read: createReadPayments(model),
    handleWebhook: webhook => handleWebhook(tools, events, webhook),
    clock,
    unresolvedAfterMs: config.PAYMENT_UNRESOLVED_AFTER_MS,
  });
  const charges = createChargeController(tools, createPaymentAudit(tools), tracker.track);

  const inbox = createInbox(dependencies.connection, clock);
  let consumer: Consumer | undefined;
  return wireService(
    {
      name: 'payment-service',
      routes: paymentRoutes(payments, charges),
      async start() {
        consumer ??= await subscribe(bus, inbox, orderId => cancelForMessage(tools, orderId));
        relay.start();
        sweeper.start();
      },
      async stop() {
        await consumer?.stop();
        consumer = undefined;
        await sweeper.stop();
        await tracker.idle();
        await provider.close();
        await relay.stop();
      },
    },
    dependencies,
  );
}

function createProvider(dependencies: ServiceDependencies, config: PaymentConfig): PaymentProvider {
  const { connection, clock, newId } = dependencies;
  if (config.PAYMENT_PROVIDER === 'stripe') {
    return createStripeProvider({ ...stripeSettings(config), timeoutMs: config.PROVIDER_TIMEOUT_MS, clock });
  }
  const failpoint = config.failpoint ? { failpoint: config.failpoint } : {};
  return createSimulatedProvider({ connection, clock, newId, ...failpoint });
}
