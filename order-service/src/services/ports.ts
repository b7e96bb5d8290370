import type { PostalAddress } from '@tradepost/shared/address';
import { postalAddress } from '@tradepost/shared/address';
import {
  auditedProducts,
  done,
  type HoldsRequest,
  orderStocks,
  reserveAnswer,
} from '@tradepost/shared/contracts/inventory';
import { auditedPayments, cancelAnswer, chargeAnswer, refundAnswer } from '@tradepost/shared/contracts/payments';
import { type LookupAnswer, lookupAnswer } from '@tradepost/shared/contracts/products';
import { addressAnswer } from '@tradepost/shared/contracts/users';
import { isAppError } from '@tradepost/shared/errors';
import type { ServiceClient } from '@tradepost/shared/http/client';
import type { InventoryCommands, PaymentCommands } from '../sagas/createOrderSaga.ts';
import type { AuditSources } from './auditShop.ts';

const path = (...parts: string[]): string => `/internal/${parts.map(encodeURIComponent).join('/')}`;

/** Longest that inventory may take for so many lines: a call that is cut off begins anew, and would be cut off again. */
const stockTimeoutMs = (lines: number): number => Math.min(9_000, 5_000 + 10 * lines);

export function inventoryCommands(client: ServiceClient): InventoryCommands {
  const act = async (orderId: string, action: string, body: HoldsRequest | { productIds: readonly string[] }) => {
    const timeoutMs = stockTimeoutMs('holds' in body ? body.holds.length : body.productIds.length);
    await client.call(
      { method: 'post', path: path('reservations', orderId, action), body, repeatable: true, timeoutMs },
      done,
    );
  };
  return {
    async reserve(orderId, lines) {
      const items = lines
        .map(({ productId, quantity }) => ({ productId, quantity }))
        .sort((a, b) => (a.productId < b.productId ? -1 : 1));
      const call = {
        method: 'post',
        path: path('reservations'),
        body: { orderId, items },
        repeatable: true,
        timeoutMs: stockTimeoutMs(items.length),
      } as const;
      const { body } = await client.call(call, reserveAnswer);
      return body.holds.map(({ productId, holdId }) => ({ productId, holdId }));
    },
    pin: (orderId, holds) => act(orderId, 'pin', { holds: [...holds] }),
    commit: (orderId, holds) => act(orderId, 'commit', { holds: [...holds] }),
    release: (orderId, productIds) => act(orderId, 'release', { productIds }),
  };
}

/** Longest a provider may take; the saga's lease is longer. */
const chargeTimeoutMs = 9_000;

export function paymentCommands(client: ServiceClient): PaymentCommands {
  return {
    async charge({ orderId, userId, amount, currency, token }) {
      const request = { orderId, userId, amount: { amount, currency }, token };
      const call = {
        method: 'post',
        path: path('charges'),
        body: request,
        repeatable: true,
        timeoutMs: chargeTimeoutMs,
      } as const;
      const { body } = await client.call(call, chargeAnswer);
      return { paymentId: body.paymentId, amount: body.amount.amount };
    },
    async cancel(orderId) {
      const call = {
        method: 'post',
        path: path('charges', orderId, 'cancel'),
        repeatable: true,
        timeoutMs: chargeTimeoutMs,
      } as const;
      const { body } = await client.call(call, cancelAnswer);
      if (!body.refund || !body.paymentId) return undefined;
      return { paymentId: body.paymentId, refundId: body.refund.refundId, amount: body.refund.amount.amount };
    },
    async refund(request) {
      const call = {
        method: 'post',
        path: path('refunds'),
        body: request,
        repeatable: true,
        timeoutMs: chargeTimeoutMs,
      } as const;
      const { body } = await client.call(call, refundAnswer);
      const { paymentId, refundId, reason } = body;
      return { paymentId, refundId, amount: body.amount.amount, reason };
    },
  };
}

export function auditSources(inventory: ServiceClient, payment: ServiceClient): AuditSources {
  const page = (path: string, cursor?: string) =>
    ({
      method: 'get',
      path: `${path}?limit=100${cursor ? `&cursor=${cursor}` : ''}`,
      repeatable: true,
      timeoutMs: auditTimeoutMs,
    }) as const;
  const lookUp = (path: string, body: unknown) =>
    ({ method: 'post', path, body, repeatable: true, timeoutMs: auditTimeoutMs }) as const;
  return {
    products: async cursor => (await inventory.call(page('/internal/audit', cursor), auditedProducts)).body,
    stockOf: async orders =>
      (await inventory.call(lookUp('/internal/audit/orders', { orders }), orderStocks)).body.items,
    payments: async cursor => (await payment.call(page('/internal/audit/payments', cursor), auditedPayments)).body,
    provider: async cursor => (await payment.call(page('/internal/audit/provider', cursor), auditedPayments)).body,
    paymentsOf: async orderIds =>
      (await payment.call(lookUp('/internal/audit/orders', { orderIds }), auditedPayments)).body.items,
  };
}

const auditTimeoutMs = 15_000;

/** The products of an order at their price of this moment; unknown and archived ones are missing. */
export type LookUpProducts = (ids: readonly string[]) => Promise<LookupAnswer['products']>;

export function productLookup(client: ServiceClient): LookUpProducts {
  return async ids => {
    const call = { method: 'post', path: path('products', 'lookup'), body: { ids }, repeatable: true } as const;
    return (await client.call(call, lookupAnswer)).body.products;
  };
}

/** An address of the user's address book; undefined when there is none with that id. */
export type LookUpAddress = (userId: string, addressId: string) => Promise<PostalAddress | undefined>;

export function addressLookup(client: ServiceClient): LookUpAddress {
  return async (userId, addressId) => {
    const call = { method: 'get', path: path('users', userId, 'addresses', addressId), repeatable: true } as const;
    try {
      const { id: _, ...address } = (await client.call(call, addressAnswer)).body;
      return postalAddress.parse(address);
    } catch (error) {
      if (isAppError(error, 'not_found')) return undefined;
      throw error;
    }
  };
}
