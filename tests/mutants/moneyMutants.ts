import { type Mutant, money, type Suite, saga, stock } from './mutant.ts';

const services = 'payment-service/src/services';
const sweeper = `${services}/sweepPayments.ts`;
const schedules: readonly Suite[] = [money, saga, stock];
const cancels: readonly Suite[] = [...schedules, `${services}/cancelPayment.int.test.ts`];

/** Bugs of the payment and its provider. */
export const moneyMutants: readonly Mutant[] = [
  {
    name: 'E: cancel takes a pending payment for one that was never made',
    file: `${services}/cancelPayment.ts`,
    find: "const payment = decided.status === 'pending' ? (await settleCharge(tools, decided)).payment : decided;",
    replace: 'const payment = decided;',
    suites: cancels,
  },
  {
    name: 'E: cancel before the charge leaves nothing behind that refuses it',
    file: `${services}/cancelPayment.ts`,
    find: 'const made = await tools.charges.insertVoid(orderId);\n      if (!made) continue;',
    replace: "const made = { _id: orderId, status: 'void' } as Payment;",
    suites: schedules,
  },
  {
    name: 'E: a capture forgets that the order was cancelled meanwhile',
    file: `${services}/paymentSteps.ts`,
    find: "{ _id, status: 'pending', cancelling: false },",
    replace: "{ _id, status: 'pending' },",
    suites: cancels,
  },
  {
    name: 'F: everybody who cancels gives the money back under an id of his own',
    file: 'payment-service/src/domain/payment.ts',
    find: 'export const cancelRefundId = (orderId: string): string => ',
    replace: 'export const cancelRefundId = (orderId: string): string => Math.random() + ',
    suites: cancels,
  },
  {
    name: 'L: a payment is answered from without making sure of it',
    file: 'payment-service/src/models/payment.ts',
    find: 'return changePayment(model, { _id: orderId }, { $inc: { seen: 1 } });',
    replace: 'return model.findById(orderId).lean<Payment>().exec();',
    suites: [...schedules, `${services}/chargePayment.int.test.ts`],
  },
  {
    name: 'N: the message is done before its effect is',
    file: 'payment-service/src/events/subscribers.ts',
    find: 'await inbox.once(service, message, () => cancel(message.data.orderId));',
    replace: 'void inbox.once(service, message, () => cancel(message.data.orderId));',
    suites: schedules,
  },
  {
    name: 'O: the sweeper asks for charges alone',
    file: sweeper,
    find: "if (known.status === 'captured') await resolveRefunds(tools, known);",
    replace: '',
    suites: schedules,
  },
  {
    name: 'O: the sweeper forgets payments that got no answer',
    file: sweeper,
    find: 'await resolveOrPostpone(tools, payment, options);',
    replace: '',
    suites: schedules,
  },
  {
    name: 'a refund is decided without a look at what is left',
    file: `${services}/refundSteps.ts`,
    find: "{ _id: orderId, status: 'captured', left, 'refunds.id': { $ne: id } },",
    replace: "{ _id: orderId, status: 'captured', 'refunds.id': { $ne: id } },",
    suites: [...schedules, `${services}/refundPayment.int.test.ts`],
  },
  {
    name: 'the provider is asked again under a new key',
    file: `${services}/providerCalls.ts`,
    find: 'const charge = { orderId, amount, currency, token };',
    replace:
      "const again = payment.attempts + Number('seen' in payment ? payment.seen : 0);\n      const charge = { orderId: again > 0 ? orderId + again : orderId, amount, currency, token };",
    suites: schedules,
  },
  {
    name: 'Stripe is asked under a new key each time',
    file: 'payment-service/src/providers/stripe.ts',
    find: '{ idempotencyKey: charge.orderId }',
    replace: '{ idempotencyKey: charge.orderId + Math.random() }',
    suites: ['payment-service/src/providers/stripe.int.test.ts'],
  },
];
