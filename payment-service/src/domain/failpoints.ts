/**
 * The named points of this service: before and after each write and each call to the provider. Points between a call's
 * answer and the write that records it are where a killed process hurts most.
 */
export const paymentFailpoints = [
  'payment.charge.beforeInsert',
  'payment.charge.afterInsert',
  'payment.charge.beforeProvider',
  'payment.charge.afterProvider',
  'payment.charge.afterRecord',
  'payment.cancel.beforeMark',
  'payment.cancel.afterMark',
  'payment.refund.beforeEntry',
  'payment.refund.afterEntry',
  'payment.refund.beforeProvider',
  'payment.refund.afterProvider',
  'payment.refund.afterRecord',
  'payment.sweep.beforeTake',
  'payment.sweep.afterTake',
  'payment.webhook.beforeEffect',
  'payment.webhook.afterEffect',
  'payment.webhook.afterSeen',
  'payment.orderCancelled.beforeEffect',
  'payment.orderCancelled.afterEffect',
  'payment.publish.before',
  'payment.publish.after',
  // The simulated provider's own.
  'provider.charge.beforeLedger',
  'provider.charge.afterLedger',
  'provider.cancel.beforeLedger',
  'provider.cancel.afterLedger',
  'provider.refund.beforeLedger',
  'provider.refund.afterLedger',
] as const;

export type PaymentFailpoint = (typeof paymentFailpoints)[number];
