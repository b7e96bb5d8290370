import { get, post, type Route } from '@tradepost/shared/http/route';
import type { ChargeController } from '../controllers/chargeController.ts';
import type { PaymentController } from '../controllers/paymentController.ts';
import * as internal from './chargeSchemas.ts';
import * as schemas from './paymentSchemas.ts';

export const paymentRoutes = (payments: PaymentController, charges: ChargeController): Route[] => [
  get('/api/payments', 'user', schemas.listPayments, payments.list),
  get('/api/payments/:id', 'owner', schemas.getPayment, payments.get),
  post('/api/payments/webhooks/:provider', 'public', schemas.receiveWebhook, payments.receiveWebhook),
  get('/api/operations/payments/unresolved', 'admin', schemas.listUnresolved, payments.listUnresolved),
  post('/internal/charges', 'service', internal.charge, charges.charge),
  post('/internal/charges/:orderId/cancel', 'service', internal.cancelCharge, charges.cancel),
  post('/internal/refunds', 'service', internal.refund, charges.refund),
  get('/internal/audit/payments', 'service', internal.auditPayments, charges.auditPayments),
  post('/internal/audit/orders', 'service', internal.auditOrders, charges.auditOrders),
  get('/internal/audit/provider', 'service', internal.auditProvider, charges.auditProvider),
];
