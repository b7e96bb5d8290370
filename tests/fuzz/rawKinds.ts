import { serviceNames } from '@tradepost/shared/discovery';
import type { Draw } from './draw.ts';
import { type FuzzCase, goodDraft, rawBytes } from './request.ts';
import { targets } from './targets.ts';
import type { World } from './world.ts';

/** Makes a request that goes byte by byte over a connection of its own. */
export type RawKind = (draw: Draw, world: World) => FuzzCase;

const anyListener = (draw: Draw, world: World): string =>
  world.addressOf(draw.chance(0.6) ? 'gateway' : draw.pick(serviceNames));

function rawCase(base: string, method: string, path: string, raw: Buffer, refused: boolean): FuzzCase {
  const nothing = { target: undefined, role: 'anonymous', headers: {}, body: undefined, limitMs: 20_000 } as const;
  return { kind: '', base, method, path, raw, refused, ...nothing };
}

const plainHeaders = ['Host: shop', 'Connection: close'];
const somePaths = ['/api/products', '/api/orders', '/api/users/me', '/health', '/', '/internal/charges'];

/** Ways to say a path that another server might read differently. */
const paths: RawKind = (draw, world) => {
  const base = anyListener(draw, world);
  const viaGateway = base === world.addressOf('gateway');
  const hidden = draw.pick(['internal/charges', 'internal/reservations', 'internal/products/lookup', 'metrics']);
  const shown = draw.pick(['api/products', 'api/orders', 'api/users/me', 'api/payments', 'docs']);
  const inner = draw.chance(0.6) ? hidden : shown;
  const before = draw.pick(['api', 'api/products', 'api/users', 'docs', 'x']);
  const path = draw.pick([
    ...[`/${before}/../${inner}`, `/${before}/..%2f${inner}`, `/${before}/%2e%2e/${inner}`, `/${before}/..;/${inner}`],
    ...[
      `//${inner}`,
      `/./${inner}`,
      `/%2e/${inner}`,
      `/${inner}%00`,
      `/${inner}%00.css`,
      `/${inner};a=b`,
      `/${inner}/`,
      `/${inner}//`,
    ],
    ...[
      `/${before}/%252e%252e/${inner}`,
      `/${inner.toUpperCase()}`,
      `/${inner}%20`,
      `/${inner}%`,
      `/${inner}%zz`,
      `/%ff%fe/${inner}`,
    ],
    ...[
      `/${before}\\..\\${inner}`,
      `/${inner}#x`,
      `/${inner}?%`,
      `/${inner}?a=%ff`,
      `/${inner}??&&==&`,
      `/${before}%2f${inner}`,
    ],
    ...[
      `http://evil/${inner}`,
      `//evil/${inner}`,
      inner,
      '*',
      `/${'a/'.repeat(1_000)}`,
      `/${inner}?${'a=1&'.repeat(1_500)}`,
    ],
    ...[
      `/api/products/${'x'.repeat(3_000)}`,
      `/${'%41'.repeat(1_000)}`,
      `/api/products/%F0%9F%92%A9`,
      '/api/products/\u00e9',
      '/.env',
    ],
    ...[
      '/.git/config',
      '/actuator/env',
      '/debug/pprof',
      '/server-status',
      '/graphql',
      '/swagger.json',
      '/admin',
      '/v1/agent/self',
    ],
  ]);
  const method = draw.pick(['GET', 'GET', 'POST', 'DELETE', 'HEAD']);
  const lengths = method === 'POST' ? ['Content-Type: application/json', 'Content-Length: 2'] : [];
  const raw = rawBytes(`${method} ${path} HTTP/1.1`, [...plainHeaders, ...lengths], method === 'POST' ? '{}' : '');
  return rawCase(base, method, path, raw, viaGateway && inner === hidden);
};

/** Requests that two servers in a row could end at different places. */
const framing: RawKind = (draw, world) => {
  const path = draw.pick(somePaths);
  const get = `GET ${path} HTTP/1.1`;
  const post = `POST ${path} HTTP/1.1`;
  const smuggled = '0\r\n\r\nGET /internal/charges HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n';
  const host = plainHeaders;
  const raw = draw.pick([
    () => rawBytes(post, [...host, 'Content-Length: 6', 'Transfer-Encoding: chunked'], smuggled),
    () => rawBytes(post, [...host, 'Content-Length: 3', 'Content-Length: 4'], 'abcd'),
    () => rawBytes(post, [...host, 'Content-Length: 4, 4'], 'abcd'),
    () => rawBytes(post, [...host, 'Content-Length: -1']),
    () => rawBytes(post, [...host, 'Content-Length: +4'], 'abcd'),
    () => rawBytes(post, [...host, 'Content-Length: 0x4'], 'abcd'),
    () => rawBytes(post, [...host, 'Content-Length: 99999999999999999999']),
    () => rawBytes(post, [...host, 'Transfer-Encoding: gzip, chunked'], smuggled),
    () => rawBytes(post, [...host, 'Transfer-Encoding: identity'], smuggled),
    () => rawBytes(post, [...host, 'Transfer-Encoding : chunked'], smuggled),
    () => rawBytes(post, [...host, 'Transfer-Encoding: xchunked'], smuggled),
    () => rawBytes(post, [...host, 'Transfer-Encoding: chunked'], 'zz\r\nabc\r\n0\r\n\r\n'),
    () => rawBytes(post, [...host, 'Transfer-Encoding: chunked'], 'ffffffffffffffff\r\nabc\r\n0\r\n\r\n'),
    () => rawBytes(`POST ${path} HTTP/1.0`, ['Transfer-Encoding: chunked'], smuggled),
    () => rawBytes(get, ['Connection: close']),
    () => rawBytes(get, [...host, 'Host: other']),
    () => rawBytes(get, ['Host : shop', 'Connection: close']),
    () => rawBytes(get, [...host, 'X-A: a\u0000b']),
    () => rawBytes(get, [...host, ' X-Folded: a']),
    () => rawBytes(get, [...host, 'X-A\u0001: b']),
    () => rawBytes(get, [...host, ': b']),
    () => rawBytes(get, [...host, `X-Big: ${'x'.repeat(17_000)}`]),
    () => rawBytes(get, [...host, ...Array.from({ length: 120 }, (_, index) => `X-${index}: 1`)]),
    () => rawBytes(`GET ${path} HTTP/9.9`, host),
    () => rawBytes(`GET ${path}`, host),
    () => rawBytes(`GET\t${path}\tHTTP/1.1`, host),
    () => rawBytes('\u0016\u0003\u0001\u0002', []),
    () => rawBytes('PRI * HTTP/2.0', ['', 'SM']),
    () => Buffer.from(`GET ${path} HTTP/1.1\nHost: shop\nContent-Length: 1\nTransfer-Encoding: chunked\n\n`),
  ])();
  return rawCase(anyListener(draw, world), raw.toString('latin1').split(' ', 1)[0] ?? '', path, raw, true);
};

/** Methods that a path does not have, that HTTP does not have, and that pretend to be another. */
const methods: RawKind = (draw, world) => {
  const target = draw.pick(targets);
  const base = draw.chance(0.6) ? world.addressOf('gateway') : world.addressOf(target.service);
  const { path } = goodDraft(target, draw, world, 'anonymous');
  const method = draw.pick([
    ...[
      'TRACE',
      'CONNECT',
      'OPTIONS',
      'PUT',
      'PROPFIND',
      'PURGE',
      'LINK',
      'BREW',
      'get',
      'Post',
      'SEARCH',
      'M-SEARCH',
      'QUERY',
      'HEAD',
    ],
  ]);
  const override = draw.chance(0.3) ? ['X-HTTP-Method-Override: DELETE'] : [];
  const raw = rawBytes(`${method} ${path} HTTP/1.1`, [...plainHeaders, ...override]);
  return rawCase(base, method, path, raw, method !== 'HEAD');
};

/** What would forge a line, or colour a terminal, if it were logged as it comes. */
const logInjection: RawKind = (draw, world) => {
  const evil = draw.pick([
    ...[
      'x\u001b[31mred',
      'x\u001b]0;title\u0007',
      '{"level":"fatal"}',
      'x'.repeat(7_000),
      '$\u007bjndi:ldap://127.0.0.1/a}',
      '%0d%0aSet-Cookie:a=b',
    ],
    ...['x\u0085y', 'x\u00ffy', '"},{"msg":"forged"', '\u0000', 'a\tb', 'Bearer x y z', '4111111111111111'],
  ]);
  const field = draw.pick([
    'X-Request-Id',
    'User-Agent',
    'Referer',
    'traceparent',
    'Authorization',
    'X-Forwarded-For',
    'Idempotency-Key',
  ]);
  const path = draw.chance(0.5) ? draw.pick(somePaths) : `/api/products/${encodeURIComponent(evil.slice(0, 200))}`;
  return rawCase(
    anyListener(draw, world),
    'GET',
    path,
    rawBytes(`GET ${path} HTTP/1.1`, [...plainHeaders, `${field}: ${evil}`]),
    false,
  );
};

export const rawKinds: Readonly<Record<string, { share: number; make: RawKind }>> = {
  paths: { share: 240, make: paths },
  framing: { share: 200, make: framing },
  methods: { share: 90, make: methods },
  'log injection': { share: 120, make: logInjection },
};
