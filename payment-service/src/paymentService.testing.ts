import { randomUUID } from 'node:crypto';
import { startTestService } from '@tradepost/local/testing';
import { loadConfig } from '@tradepost/shared/config';
import { paymentCaptured, paymentDeclined, paymentRefunded } from '@tradepost/shared/events/payments';
import type { Message } from '@tradepost/shared/messaging/message';
import { createApp } from './app.ts';
import { settings } from './config.ts';
import { createPoints } from './payments.testing.ts';

/** The service as others call it, with points that a test fails, a clock that it moves, and the messages that it hears. */
export async function startPayments() {
  const points = createPoints();
  const config = loadConfig(settings, {
    ...{ PROVIDER_TIMEOUT_MS: '6000', PAYMENT_SWEEP_MS: '20', PAYMENT_UNRESOLVED_AFTER_MS: '1000' },
  });
  let skewMs = 0;
  const service = await startTestService(
    'payment-service',
    dependencies => createApp(dependencies, { ...config, failpoint: name => points.failpoint(name) }),
    { clock: () => new Date(Date.now() + skewMs) },
  );
  const heard: Message[] = [];
  for (const message of [paymentCaptured, paymentDeclined, paymentRefunded]) {
    await service.bus.subscribe({ service: 'listener', message, handle: async one => void heard.push(one) });
  }
  const alice = randomUUID();
  const internal = (method: string, path: string, body?: unknown) =>
    service.send(method, path, { token: service.serviceToken(), ...(body === undefined ? {} : { body }) });
  return {
    ...{ service, points, internal, alice },
    /** Messages about an order so far. */
    heardOf: (orderId: string) => heard.filter(one => (one.data as { orderId: string }).orderId === orderId),
    charge: (orderId: string, token = 'tok_visa', userId = alice, amount = 1_299) =>
      internal('POST', '/internal/charges', { orderId, userId, token, amount: { amount, currency: 'GBP' } }),
    /** Puts the service's clock so many milliseconds ahead. */
    skew(ms: number): void {
      skewMs = ms;
    },
  };
}

/** Waits for what happens behind an answer; fails by the test's own time limit only. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 10));
}
