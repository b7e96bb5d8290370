import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ErrorCode, errorCatalogue } from '@tradepost/shared/errors';

/** What order-service meets at its edges: the calls that other services answer, with books of their own to check against. */
export interface StandIns {
  url: string;
  /** Product ids and what they cost, in pence. */
  prices: Map<string, number>;
  stock: Map<string, number>;
  holds: Map<string, { holdId: string; productId: string; quantity: number; pinned: boolean }[]>;
  sold: Map<string, Map<string, number>>;
  captured: Map<string, number>;
  refunds: Map<string, Map<string, number>>;
  addresses: Map<string, Record<string, string>>;
  /** Calls by operation, as `charge`. */
  calls: string[];
  /** Makes the next calls of an operation go wrong, one entry each. */
  spoil(operation: Operation, ...faults: Fault[]): void;
  close(): Promise<void>;
}

export type Operation =
  | 'lookup'
  | 'address'
  | 'reserve'
  | 'pin'
  | 'commit'
  | 'release'
  | 'charge'
  | 'cancel'
  | 'refund';

/** `error` fails without effect · `lost` acts, but its answer never arrives · a function runs first, then it goes on. */
export type Fault = 'error' | 'lost' | (() => Promise<unknown> | unknown);

class Refusal extends Error {
  readonly code: ErrorCode;
  readonly members: object;
  constructor(code: ErrorCode, members: object = {}) {
    super(code);
    this.code = code;
    this.members = members;
  }
}

const money = (amount: number) => ({ amount, currency: 'GBP' });
const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, one) => total + one, 0);

/** Starts one server that answers for product-, user-, inventory- and payment-service. */
export async function startStandIns(): Promise<StandIns> {
  const faults = new Map<Operation, Fault[]>();
  const books = {
    prices: new Map<string, number>(),
    stock: new Map<string, number>(),
    holds: new Map<string, { holdId: string; productId: string; quantity: number; pinned: boolean }[]>(),
    sold: new Map<string, Map<string, number>>(),
    captured: new Map<string, number>(),
    refunds: new Map<string, Map<string, number>>(),
    addresses: new Map<string, Record<string, string>>(),
    voided: new Set<string>(),
    calls: [] as string[],
  };
  const server = createServer((request, response) => void serve(request, response));
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const [operation, orderId] = operationOf(request.url ?? '');
    books.calls.push(operation);
    const fault = faults.get(operation)?.shift();
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    };
    if (fault === 'error') return send(500, { code: 'internal_error' });
    if (typeof fault === 'function') await fault();
    try {
      const body = handle(operation, orderId, text ? JSON.parse(text) : {}, books);
      if (fault === 'lost') return void request.socket.destroy();
      send(200, body);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      send(errorCatalogue[error.code][0], { code: error.code, detail: error.code, ...error.members });
    }
  };
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    ...books,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spoil: (operation, ...next) => faults.set(operation, [...(faults.get(operation) ?? []), ...next]),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function operationOf(url: string): [Operation, string] {
  const [, , area = '', id = '', action = ''] = url.split('/');
  if (area === 'products') return ['lookup', ''];
  if (area === 'users') return ['address', `${id}/${url.split('/')[5]}`];
  if (area === 'refunds') return ['refund', ''];
  if (area === 'charges') return action ? ['cancel', id] : ['charge', ''];
  return action ? [action as Operation, id] : ['reserve', ''];
}

type Books = Omit<StandIns, 'url' | 'spoil' | 'close'> & { voided: Set<string> };
// biome-ignore lint/suspicious/noExplicitAny: bodies of nine operations
function handle(operation: Operation, orderId: string, body: any, books: Books): unknown {
  const holdsOf = (id: string) => books.holds.get(id) ?? [];
  const refundsOf = (id: string) => books.refunds.get(id) ?? new Map<string, number>();
  switch (operation) {
    case 'lookup':
      return {
        products: body.ids
          .filter((id: string) => books.prices.has(id))
          .map((id: string) => ({
            id,
            sku: `SKU-${id}`,
            name: `Product ${id}`,
            price: money(books.prices.get(id) ?? 0),
          })),
      };
    case 'address': {
      const address = books.addresses.get(orderId);
      if (!address) throw new Refusal('not_found');
      return address;
    }
    case 'reserve': {
      const known = holdsOf(body.orderId);
      if (known.length > 0) return { holds: known };
      const shortages = body.items
        .map((item: { productId: string; quantity: number }) => {
          const held = sum(
            [...books.holds.values()]
              .flat()
              .filter(one => one.productId === item.productId)
              .map(one => one.quantity),
          );
          return {
            productId: item.productId,
            requested: item.quantity,
            available: (books.stock.get(item.productId) ?? 0) - held,
          };
        })
        .filter((one: { requested: number; available: number }) => one.available < one.requested);
      if (shortages.length > 0) throw new Refusal('insufficient_stock', { shortages });
      books.holds.set(
        body.orderId,
        body.items.map((item: object) => ({ ...item, holdId: randomUUID(), pinned: false })),
      );
      return { holds: holdsOf(body.orderId) };
    }
    case 'pin': {
      for (const { holdId } of body.holds) {
        const hold = holdsOf(orderId).find(one => one.holdId === holdId);
        if (!hold) throw new Refusal('hold_gone');
        hold.pinned = true;
      }
      return { done: true };
    }
    case 'commit': {
      const sold = books.sold.get(orderId) ?? new Map<string, number>();
      for (const { holdId } of body.holds) {
        if (sold.has(holdId)) continue;
        const hold = holdsOf(orderId).find(one => one.holdId === holdId && one.pinned);
        if (!hold) throw new Refusal('hold_gone');
        sold.set(holdId, hold.quantity);
        books.stock.set(hold.productId, (books.stock.get(hold.productId) ?? 0) - hold.quantity);
        books.holds.set(
          orderId,
          holdsOf(orderId).filter(one => one !== hold),
        );
      }
      books.sold.set(orderId, sold);
      return { done: true };
    }
    case 'release': {
      books.holds.delete(orderId);
      const [productId] = body.productIds;
      books.stock.set(productId, (books.stock.get(productId) ?? 0) + sum(books.sold.get(orderId)?.values() ?? []));
      books.sold.delete(orderId);
      return { done: true };
    }
    case 'charge': {
      if (books.voided.has(body.orderId)) throw new Refusal('charge_refused');
      if (body.token === 'tok_declined') throw new Refusal('payment_declined', { reason: 'card_declined' });
      books.captured.set(body.orderId, body.amount.amount);
      return { paymentId: `pay-${body.orderId}`, amount: body.amount };
    }
    case 'cancel': {
      books.voided.add(orderId);
      const captured = books.captured.get(orderId);
      if (captured === undefined) return {};
      const refunds = refundsOf(orderId);
      const refundId = `cancel:${orderId}`;
      if (!refunds.has(refundId)) refunds.set(refundId, captured - sum(refunds.values()));
      books.refunds.set(orderId, refunds);
      return { paymentId: `pay-${orderId}`, refund: { refundId, amount: money(refunds.get(refundId) ?? 0) } };
    }
    case 'refund': {
      const refunds = refundsOf(body.orderId);
      const captured = books.captured.get(body.orderId) ?? 0;
      if (!refunds.has(body.refundId)) {
        const amount = body.amount ?? captured - sum(refunds.values());
        if (sum(refunds.values()) + amount > captured) throw new Refusal('refund_exceeds_capture');
        refunds.set(body.refundId, amount);
      }
      books.refunds.set(body.orderId, refunds);
      return {
        paymentId: `pay-${body.orderId}`,
        refundId: body.refundId,
        amount: money(refunds.get(body.refundId) ?? 0),
        refundedTotal: money(sum(refunds.values())),
        reason: body.reason,
      };
    }
  }
}
