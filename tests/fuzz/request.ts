import type { Draw } from './draw.ts';
import { sampleOf } from './sample.ts';
import type { Target } from './targets.ts';
import { type Role, roles, type World } from './world.ts';

/** One request of the suite, as it is sent. */
export interface FuzzCase {
  /** What it tries. */
  kind: string;
  /** The operation it is about; undefined where it is about none. */
  target: Target | undefined;
  role: Role;
  base: string;
  method: string;
  /** As it is sent, with its query. */
  path: string;
  headers: Record<string, string | string[]>;
  body: string | Buffer | undefined;
  /** Sent byte by byte over a connection of its own, where an HTTP client would not send it. */
  raw: Buffer | undefined;
  /** An answer below 400 is wrong. */
  refused: boolean;
  limitMs: number;
}

/** A request before it is written: what a kind changes to spoil it. */
export interface Draft {
  target: Target;
  role: Role;
  method: string;
  path: string;
  query: [string, string][];
  headers: Record<string, string | string[]>;
  /** Sent as JSON unless it is text or bytes. */
  json: unknown;
  text: string | Buffer | undefined;
  refused: boolean;
}

/** Whoever gets past the route's rule, mostly. */
export function roleFor(target: Target, draw: Draw): Role {
  if (draw.chance(0.15)) return draw.pick(roles);
  if (target.access === 'admin') return 'admin';
  if (target.access === 'public') return draw.pick(['anonymous', 'customer'] as const);
  return draw.pick(['customer', 'customer', 'admin'] as const);
}

/** A request that its operation takes, as far as the document tells. */
export function goodDraft(target: Target, draw: Draw, world: World, role: Role = roleFor(target, draw)): Draft {
  const headers: Draft['headers'] = {};
  const query: [string, string][] = [];
  let foreign = false;
  const path = target.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const found = world.idFor(target, name, draw);
    foreign ||= found.foreign;
    return found.id;
  });
  for (const parameter of target.documented.parameters ?? []) {
    if (parameter.in === 'query' && (parameter.required || draw.chance(0.25))) {
      query.push([parameter.name, String(sampleOf(parameter.schema, draw, world, parameter.name))]);
    }
  }
  if (target.id === 'createOrder' || target.id === 'refundOrder')
    headers['Idempotency-Key'] = `fuzz-${draw.below(1e9)}`;
  const token = world.tokenOf(role, target, draw);
  if (token) headers.Authorization = `Bearer ${token}`;
  let text: string | undefined;
  const streamed = target.id === 'importProducts';
  if (streamed) {
    headers['Content-Type'] = 'application/x-ndjson';
    text = '{"sku":"FUZZ-1","name":"Fuzz","price":{"amount":1,"currency":"GBP"}}\n';
  }
  return {
    ...{ target, role, method: target.method, path, query, headers, text },
    json: target.body ? orderable(target, sampleOf(target.body, draw, world), world) : undefined,
    // What is the customer's alone, no stranger may have; nobody has anything without a token.
    refused: refusedTo(role, target) || (foreign && role === 'stranger'),
  };
}

const refusedTo = (role: Role, { access }: Target): boolean =>
  (access !== 'public' && role === 'anonymous') || (access === 'admin' && role !== 'admin');

/** An order has one address and each product once, which a schema does not say. */
function orderable(target: Target, body: unknown, world: World): unknown {
  if (target.id !== 'createOrder') return body;
  const { items, shippingAddress, ...order } = body as { items: { productId: string }[]; shippingAddress?: object };
  const once = [...new Map(items.map(item => [item.productId, item])).values()];
  const { addressId: _, ...rest } = order as { addressId?: string };
  return { ...rest, items: once, ...(shippingAddress ? { shippingAddress } : { addressId: world.addressId }) };
}

/** Writes a draft down. @param direct goes to the service itself, past the gateway */
export function written(kind: string, draft: Draft, world: World, direct: boolean): FuzzCase {
  const { target, role, method, query, refused } = draft;
  const headers = { ...draft.headers };
  const body = draft.text ?? (draft.json === undefined ? undefined : JSON.stringify(draft.json));
  if (body !== undefined && !headers['Content-Type']) headers['Content-Type'] = 'application/json';
  const text = query.map(([name, value]) => `${name}=${encoded(value)}`).join('&');
  return {
    ...{ kind, target, role, method, headers, body, refused, raw: undefined, limitMs: target.limitMs },
    base: world.addressOf(direct ? target.service : 'gateway'),
    path: text ? `${draft.path}?${text}` : draft.path,
  };
}

/** Percent-encoded, also what is no well-formed Unicode. */
export const encoded = (value: string): string => encodeURIComponent(value.toWellFormed());

/** The bytes of a request, as nothing checks them. */
export function rawBytes(line: string, headers: readonly string[], body = ''): Buffer {
  return Buffer.from(`${[line, ...headers].join('\r\n')}\r\n\r\n${body}`, 'latin1');
}
