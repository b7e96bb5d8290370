import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after } from 'node:test';

/** What goes wrong with one request, `none` for nothing; the `After` ones go wrong when the effect is done. */
export type Fault =
  | 'none'
  | { status: number; headers?: Record<string, string> }
  | { status: number; after: true }
  | 'hang'
  | 'hangAfter'
  | 'reset'
  | 'resetAfter'
  | 'halfJsonAfter'
  | 'wrongAmount';

interface Intent {
  id: string;
  object: 'payment_intent';
  amount: number;
  amount_received: number;
  currency: string;
  status: string;
  metadata: Record<string, string>;
  last_payment_error: object | null;
  latest_charge: string;
  cancellation_reason: string | null;
}

interface StripeRefund {
  id: string;
  object: 'refund';
  amount: number;
  payment_intent: string;
  status: string;
  metadata: Record<string, string>;
}

interface Reply {
  status: number;
  body: unknown;
}

type Params = Record<string, string>;

const problem = (status: number, error: object): Reply => ({ status, body: { error } });

/**
 * The part of Stripe's API that the shop uses, with its rules for idempotency keys: the first answer is kept, a 500 too,
 * and replayed; other parameters are an error. Its books are plain maps that tests look into.
 */
export async function startStripeStandIn() {
  const intents = new Map<string, Intent>();
  const refunds = new Map<string, StripeRefund>();
  const kept = new Map<string, { params: string; reply: Reply }>();
  const faults: Fault[] = [];
  const requests: { method: string; path: string; key: string | undefined; params: Params }[] = [];
  let count = 0;
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://stripe');
    const params = Object.fromEntries(new URLSearchParams(url.search || (await text(request))));
    const header = request.headers['idempotency-key'];
    const key = typeof header === 'string' ? header : undefined;
    requests.push({ method: request.method ?? '', path: url.pathname, key, params });
    const fault = faults.shift();
    if (fault === 'hang') return;
    if (fault === 'reset') return void request.socket.destroy();
    if (typeof fault === 'object' && !('after' in fault)) {
      return answer(response, problem(fault.status, { type: 'api_error', message: 'out of order' }), fault.headers);
    }
    const reply = keyed(key, params, () => {
      const real = route(request.method ?? '', url.pathname, params);
      return typeof fault === 'object' ? problem(fault.status, { type: 'api_error', message: 'failed late' }) : real;
    });
    if (fault === 'hangAfter') return;
    if (fault === 'resetAfter') return void request.socket.destroy();
    if (fault === 'halfJsonAfter') return void half(response, reply);
    answer(response, fault === 'wrongAmount' ? withWrongAmount(reply) : reply);
  }

  function keyed(key: string | undefined, params: Params, work: () => Reply): Reply {
    const known = key === undefined ? undefined : kept.get(key);
    if (known && known.params !== JSON.stringify(params)) {
      return problem(400, { type: 'idempotency_error', message: 'Keys can only be used with the same parameters' });
    }
    const reply = known?.reply ?? work();
    if (key !== undefined) kept.set(key, { params: JSON.stringify(params), reply });
    return reply;
  }

  function route(method: string, path: string, params: Params): Reply {
    const [, , resource, id] = path.split('/');
    if (method === 'POST') return resource === 'refunds' ? refund(params) : charge(params);
    if (resource === 'refunds')
      return list([...refunds.values()].filter(r => r.payment_intent === params.payment_intent));
    if (id === 'search')
      return list([...intents.values()].filter(i => params.query === `metadata['orderId']:'${i.metadata.orderId}'`));
    if (!id) return page(params);
    const intent = intents.get(id);
    return intent
      ? { status: 200, body: expanded(intent) }
      : problem(404, { type: 'invalid_request_error', code: 'resource_missing' });
  }

  function charge(params: Params): Reply {
    const token = params['payment_method_data[card][token]'] ?? params.payment_method ?? '';
    if (!/^(tok|pm)_/.test(token)) {
      return problem(400, {
        type: 'invalid_request_error',
        code: 'resource_missing',
        message: `No such token: ${token}`,
      });
    }
    const declined = /declined|insufficient/.test(token)
      ? {
          type: 'card_error',
          code: 'card_declined',
          decline_code: /insufficient/.test(token) ? 'insufficient_funds' : 'generic_decline',
        }
      : null;
    count += 1;
    const amount = Number(params.amount);
    const intent: Intent = {
      ...{
        id: `pi_${count}`,
        object: 'payment_intent',
        amount,
        currency: params.currency ?? '',
        cancellation_reason: null,
      },
      ...{ amount_received: declined ? 0 : amount, status: declined ? 'requires_payment_method' : 'succeeded' },
      ...{ metadata: metadataOf(params), last_payment_error: declined, latest_charge: `ch_${count}` },
    };
    if (token === 'tok_processing') Object.assign(intent, { status: 'processing', amount_received: 0 });
    intents.set(intent.id, intent);
    return declined ? problem(402, { ...declined, payment_intent: intent }) : { status: 200, body: { ...intent } };
  }

  function refund(params: Params): Reply {
    const intent = intents.get(params.payment_intent ?? '');
    const amount = Number(params.amount);
    if (!intent || amount > intent.amount_received - refunded(intent.id)) {
      return problem(400, { type: 'invalid_request_error', code: 'charge_already_refunded' });
    }
    count += 1;
    const made: StripeRefund = {
      ...{ id: `re_${count}`, object: 'refund', amount, payment_intent: intent.id, status: 'succeeded' },
      metadata: metadataOf(params),
    };
    refunds.set(made.id, made);
    return { status: 200, body: { ...made } };
  }

  const refunded = (intent: string): number =>
    [...refunds.values()].reduce((sum, one) => sum + (one.payment_intent === intent ? one.amount : 0), 0);
  const expanded = (intent: Intent) => ({
    ...intent,
    latest_charge: { id: intent.latest_charge, object: 'charge', amount_refunded: refunded(intent.id) },
  });
  const list = (data: unknown[]): Reply => ({ status: 200, body: { object: 'list', data, has_more: false } });
  function page({ limit, starting_after: from }: Params): Reply {
    const all = [...intents.values()].reverse();
    const start = from ? all.findIndex(intent => intent.id === from) + 1 : 0;
    const data = all.slice(start, start + Number(limit)).map(expanded);
    return { status: 200, body: { object: 'list', data, has_more: start + data.length < all.length } };
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    intents,
    refunds,
    requests,
    /** Makes the next requests go wrong, one entry each. */
    spoil: (...next: Fault[]) => void faults.push(...next),
    /** Minor units taken and given back for an order. */
    books(orderId: string): { captured: number; refunded: number } {
      const own = [...intents.values()].filter(intent => intent.metadata.orderId === orderId);
      const captured = own.reduce((sum, intent) => sum + intent.amount_received, 0);
      return { captured, refunded: own.reduce((sum, intent) => sum + refunded(intent.id), 0) };
    },
  };
}

export type StripeStandIn = Awaited<ReturnType<typeof startStripeStandIn>>;

function metadataOf(params: Params): Record<string, string> {
  const entries = Object.entries(params).flatMap(([name, value]) => {
    const match = /^metadata\[(\w+)\]$/.exec(name);
    return match?.[1] ? [[match[1], value]] : [];
  });
  return Object.fromEntries(entries);
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function answer(response: ServerResponse, { status, body }: Reply, headers: Record<string, string> = {}): void {
  // Otherwise the library would send a 5xx again by itself.
  response.writeHead(status, { 'Content-Type': 'application/json', 'Request-Id': 'req_1', ...headers });
  response.end(JSON.stringify(body));
}

/** Promises the whole body and sends half of it. */
function half(response: ServerResponse, { status, body }: Reply): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Math.floor(bytes.length / 2) });
  response.end(bytes.subarray(0, bytes.length / 2));
}

function withWrongAmount({ status, body }: Reply): Reply {
  return { status, body: { ...(body as Intent), amount: 1, amount_received: 1 } };
}
