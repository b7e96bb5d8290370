import { createHash } from 'node:crypto';
import type { PostalAddress } from '@tradepost/shared/address';
import type { Clock } from '@tradepost/shared/clock';
import { noteOrder } from '@tradepost/shared/context';
import { AppError, type ErrorCode, isAppError } from '@tradepost/shared/errors';
import type { NewId } from '@tradepost/shared/ids';
import { maxAmount } from '@tradepost/shared/money';
import type { Failpoint } from '../config.ts';
import type { OrderLine, RecordedEvent } from '../domain/events.ts';
import { creationOutcome, isDecided } from '../domain/outcome.ts';
import type { SagaDocument } from '../models/saga.ts';
import type { Drive } from '../sagas/drive.ts';
import type { Lease, SagaStore } from '../sagas/sagaStore.ts';
import type { LookUpAddress, LookUpProducts } from './ports.ts';
import type { CreatedOrder } from './results.ts';

export interface CreateOrderRequest {
  userId: string;
  idempotencyKey: string;
  items: { productId: string; quantity: number }[];
  shippingAddress?: PostalAddress | undefined;
  addressId?: string | undefined;
  payment: { token: string };
}

/**
 * Places an order, or goes on with the one that this Idempotency-Key began.
 * @returns the order, `final` false when it is not decided within ORDER_WAIT_MS
 * @throws AppError as API.md says: `unknown_product`, `insufficient_stock`, `payment_declined`, `idempotency_key_reused` …
 */
export type CreateOrder = (request: CreateOrderRequest) => Promise<CreatedOrder>;

export interface CreateOrderDependencies {
  sagaStore: SagaStore;
  drive: Drive;
  lookUpProducts: LookUpProducts;
  lookUpAddress: LookUpAddress;
  clock: Clock;
  newId: NewId;
  waitMs: number;
  failpoint: Failpoint;
}

export function createOrderUseCase(dependencies: CreateOrderDependencies): CreateOrder {
  const { sagaStore, newId, failpoint } = dependencies;
  return async request => {
    const print = fingerprint(request);
    const begun = await sagaStore.findByKey(request.userId, request.idempotencyKey);
    if (begun) return resume(begun, print, dependencies);
    const identity = { _id: newId(), userId: request.userId, key: request.idempotencyKey, fingerprint: print };
    const priced = await price(request, dependencies).catch(async (error: unknown) => {
      if (!isAppError(error) || error.status !== 422) throw error;
      const { code, message: detail, extras } = error;
      const refusal = { code, detail, members: extras.members ?? {} };
      const inserted = await sagaStore.insert({ ...identity, status: 'refused', refusal });
      if (inserted === 'taken') throw new AppError('request_in_progress', { retryAfter: 1 });
      throw error;
    });
    await failpoint('order.create.beforeSaga');
    noteOrder(identity._id);
    // Step 0: from here on somebody will bring the order to its end, whatever happens to this process.
    const lease = await sagaStore.insert({ ...identity, status: 'running', ...priced, token: request.payment.token });
    if (lease === 'taken') throw new AppError('request_in_progress', { retryAfter: 1 });
    await failpoint('order.create.afterSaga');
    return finish(lease, dependencies, []);
  };
}

/** Lines with the catalogue's names and prices of this moment, their total, and the address. */
async function price(
  request: CreateOrderRequest,
  { lookUpProducts, lookUpAddress }: CreateOrderDependencies,
): Promise<{ lines: OrderLine[]; currency: string; total: number; shippingAddress: PostalAddress }> {
  const [products, shippingAddress] = await Promise.all([
    lookUpProducts(request.items.map(item => item.productId)),
    request.addressId === undefined ? request.shippingAddress : lookUpAddress(request.userId, request.addressId),
  ]);
  if (!shippingAddress) throw new AppError('unknown_address');
  const byId = new Map(products.map(product => [product.id, product]));
  const unknown = request.items.filter(item => !byId.has(item.productId)).map(item => item.productId);
  if (unknown.length > 0) throw new AppError('unknown_product', { members: { productIds: unknown.slice(0, 100) } });
  const lines = request.items.map(({ productId, quantity }) => {
    const product = byId.get(productId)!;
    return { productId, sku: product.sku, name: product.name, quantity, unitPrice: product.price.amount };
  });
  const currencies = new Set(products.map(product => product.price.currency));
  if (currencies.size > 1) throw new AppError('mixed_currencies', { members: { currencies: [...currencies] } });
  const total = lines.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0);
  if (total > maxAmount) throw new AppError('total_too_large');
  return { lines, currency: products[0]!.price.currency, total, shippingAddress };
}

async function resume(saga: SagaDocument, print: string, dependencies: CreateOrderDependencies): Promise<CreatedOrder> {
  noteOrder(saga._id);
  if (saga.fingerprint !== print) throw new AppError('idempotency_key_reused');
  if (saga.refusal) {
    const { code, detail, members } = saga.refusal;
    throw new AppError(code as ErrorCode, { detail, members });
  }
  const events = await dependencies.drive.look(saga._id);
  if (isDecided(events) || saga.status === 'needs_attention') return answer(saga._id, saga.shippingAddress, events);
  if (saga.leaseUntil > dependencies.clock()) throw new AppError('request_in_progress', { retryAfter: 1 });
  return finish(saga, dependencies);
}

async function finish(
  saga: SagaDocument | Lease,
  { drive, waitMs }: CreateOrderDependencies,
  known?: RecordedEvent[],
): Promise<CreatedOrder> {
  const events = await drive.until(saga, isDecided, waitMs, known ? { lease: saga, known } : undefined);
  return answer(saga._id, saga.shippingAddress, events);
}

/** The first final answer of an order's creation, always the same for the same stream. */
function answer(
  orderId: string,
  shippingAddress: PostalAddress | undefined,
  events: readonly RecordedEvent[],
): CreatedOrder {
  const outcome = creationOutcome(events);
  if (!outcome)
    throw new AppError('service_unavailable', {
      retryAfter: 1,
      detail: 'The order was not recorded yet; repeat with the same key',
    });
  if (outcome.kind === 'refused') {
    const { code, detail, members } = outcome;
    throw new AppError(code, { ...(detail ? { detail } : {}), members: { ...members, orderId } });
  }
  return { orderId, order: outcome.order, shippingAddress, final: outcome.kind === 'confirmed' };
}

/** What makes two requests the same: everything that the client sent, in a fixed order. */
function fingerprint({ items, shippingAddress, addressId, payment }: CreateOrderRequest): string {
  const address = shippingAddress ? Object.entries(shippingAddress).sort(([a], [b]) => (a < b ? -1 : 1)) : null;
  const canonical = JSON.stringify([
    items.map(item => [item.productId, item.quantity]),
    address,
    addressId ?? null,
    payment.token,
  ]);
  return createHash('sha256').update(canonical).digest('base64url');
}
