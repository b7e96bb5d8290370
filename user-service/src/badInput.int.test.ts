import assert from 'node:assert/strict';
import { createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { Route } from '@tradepost/shared/http/route';
import jwt from 'jsonwebtoken';
import { type Account, password, startUserService, type UserServiceTest } from './testing/userService.ts';

let shop: UserServiceTest;
let admin: Account;
before(async () => {
  shop = await startUserService();
  admin = await shop.admin();
});
after(() => shop.close());

const bodies: Record<string, Record<string, unknown>> = {
  register: { email: 'new@example.com', password, name: 'New' },
  login: { email: 'new@example.com', password },
  refresh: { refreshToken: 'x'.repeat(86) },
  logout: { refreshToken: 'x'.repeat(86) },
  updateMe: { name: 'Other' },
  changePassword: { currentPassword: password, newPassword: 'a different long phrase' },
  addAddress: { name: 'A', line1: '1 Road', city: 'Leeds', postcode: 'LS1 1AA', country: 'GB' },
  replaceAddress: { name: 'A', line1: '1 Road', city: 'Leeds', postcode: 'LS1 1AA', country: 'GB' },
  changeRole: { role: 'customer' },
};

const pathOf = (route: Route) => route.path.replace(/:\w+/g, 'unknown');
const withBody = () => shop.service.routes.filter(route => route.operation.body);
const tokenFor = (route: Route) => (route.access === 'service' ? shop.serviceToken() : admin.accessToken);
const call = (route: Route, body?: unknown, headers: Record<string, string> = {}) =>
  shop.send(route.method.toUpperCase(), pathOf(route), { token: tokenFor(route), body, headers });

function assertProblem(answer: Awaited<ReturnType<typeof call>>, status: number, code: string, note: string): void {
  assert.deepEqual([answer.status, answer.body.code], [status, code], note);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
  assert.equal(answer.headers.get('x-request-id'), answer.body.requestId);
  assert.ok(!/node_modules|\.ts:|mongo|stack/i.test(JSON.stringify(answer.body)), 'internals show');
}

test('every body of the service has a good example here', () => {
  assert.deepEqual(
    withBody()
      .map(route => route.operation.id)
      .toSorted(),
    Object.keys(bodies).toSorted(),
  );
});

test('an unknown field is refused everywhere', async () => {
  for (const route of withBody()) {
    const good = bodies[route.operation.id];
    for (const field of ['extra', '$where', 'role_', '__proto__x', 'constructor']) {
      assertProblem(
        await call(route, { ...good, [field]: 1 }),
        400,
        'invalid_request',
        `${route.operation.id} ${field}`,
      );
    }
    const proto = JSON.stringify(good).replace('{', '{"__proto__":{"role":"admin"},');
    assertProblem(await call(route, proto), 400, 'invalid_request', `${route.operation.id} __proto__`);
  }
  assert.equal(({} as { role?: string }).role, undefined);
});

test('a field of another type is refused by name everywhere', async () => {
  for (const route of withBody()) {
    const good = bodies[route.operation.id] ?? {};
    for (const field of Object.keys(good)) {
      for (const wrong of [null, 1, 1.5, true, [], ['a'], {}, { $gt: '' }, { $ne: null }]) {
        const note = `${route.operation.id} ${field} ${JSON.stringify(wrong)}`;
        const answer = await call(route, { ...good, [field]: wrong });
        assertProblem(answer, 400, 'invalid_request', note);
        assert.ok(
          answer.body.errors.some((error: { path: string }) => error.path === field),
          note,
        );
      }
    }
  }
});

test('a missing field or body is refused everywhere it is needed', async () => {
  for (const route of withBody()) {
    const good = bodies[route.operation.id] ?? {};
    assertProblem(await call(route), 400, 'invalid_request', `${route.operation.id} without body`);
    for (const field of Object.keys(good)) {
      if (route.operation.id === 'updateMe') continue;
      const answer = await call(route, { ...good, [field]: undefined });
      assertProblem(answer, 400, 'invalid_request', `${route.operation.id} without ${field}`);
    }
  }
});

test('malformed JSON, another media type and too much are told apart everywhere', async () => {
  for (const route of withBody()) {
    const note = route.operation.id;
    const good = JSON.stringify(bodies[note]);
    for (const broken of ['{', good.slice(0, -1), `${good},`, 'nul', "{'a':1}", `\ufeff${good}`]) {
      assertProblem(await call(route, broken), 400, 'malformed_json', `${note} ${broken.slice(0, 20)}`);
    }
    for (const scalar of ['[]', '"text"', '1', 'null']) {
      assertProblem(await call(route, scalar), 400, 'invalid_request', `${note} ${scalar}`);
    }
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=latin1']) {
      assertProblem(
        await call(route, good, { 'Content-Type': type }),
        415,
        'unsupported_media_type',
        `${note} ${type}`,
      );
    }
    assertProblem(await call(route, 'x'.repeat(100_001)), 413, 'payload_too_large', note);
  }
});

test('a query where none is known, a wrong method and an unknown path are refused', async () => {
  for (const route of shop.service.routes) {
    const known = shop.service.routes.filter(one => one.path === route.path).map(one => one.method.toUpperCase());
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter(one => !known.includes(one))) {
      const answer = await shop.send(method, pathOf(route), { token: tokenFor(route) });
      assertProblem(answer, 405, 'method_not_allowed', `${method} ${route.path}`);
      const allowed = (answer.headers.get('allow') ?? '').split(', ').filter(one => one !== 'HEAD');
      assert.deepEqual(allowed.toSorted(), known.toSorted());
    }
    const answer = await shop.send(route.method.toUpperCase(), `${pathOf(route)}?unknown=1`, {
      token: tokenFor(route),
      body: bodies[route.operation.id],
    });
    assertProblem(answer, 400, 'invalid_request', `${route.path}?unknown=1`);
  }
  for (const path of ['/api/users/me/unknown', '/api/user', '/api/users/a/b/c', '/internal', '/internal/users']) {
    assertProblem(await shop.send('GET', path, { token: admin.accessToken }), 404, 'not_found', path);
  }
});

test('every guarded route refuses the anonymous and the other kind of token', async () => {
  const guarded = shop.service.routes.filter(route => route.access !== 'public');
  assert.ok(guarded.length > 10);
  for (const route of guarded) {
    const [method, path] = [route.method.toUpperCase(), pathOf(route)];
    const wrong = route.access === 'service' ? admin.accessToken : shop.serviceToken();
    for (const token of [undefined, wrong]) {
      const answer = await shop.send(method, path, {
        ...(token ? { token } : {}),
        body: bodies[route.operation.id],
        headers: { 'X-User-Id': admin.id, 'X-User-Role': 'admin' },
      });
      assertProblem(answer, 401, 'unauthenticated', `${method} ${path}`);
      assert.ok(answer.headers.get('www-authenticate'));
    }
  }
});

test('forged access tokens are refused', async () => {
  const { header, payload } = jwt.decode(admin.accessToken, { complete: true }) as jwt.Jwt;
  const claims = payload as jwt.JwtPayload;
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [headPart = '', bodyPart = '', signature = ''] = admin.accessToken.split('.');
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = (head: object, body: object, key = own.privateKey) => {
    const input = `${encode(head)}.${encode(body)}`;
    return `${input}.${createSign('sha256').update(input).sign({ key, dsaEncoding: 'ieee-p1363' }, 'base64url')}`;
  };
  const jwks = (await shop.send('GET', '/.well-known/jwks.json')).body;
  const publicKey = JSON.stringify(jwks.keys[0]);
  const hs256 = (head: object) => jwt.sign(claims, publicKey, { algorithm: 'HS256', header: head as jwt.JwtHeader });
  const forged: Record<string, string> = {
    'another key': signed(header, claims),
    'a key of its own in the header': signed({ ...header, jwk: own.publicKey.export({ format: 'jwk' }) }, claims),
    'an unknown kid': signed({ ...header, kid: randomUUID() }, claims),
    'a kid that is a path': signed({ ...header, kid: '../../../dev/null' }, claims),
    'a kid that is an operator': signed({ ...header, kid: { $ne: '' } }, claims),
    'no kid': signed({ ...header, kid: undefined }, claims),
    'alg none': `${encode({ ...header, alg: 'none' })}.${bodyPart}.`,
    'alg none with a signature': `${encode({ ...header, alg: 'none' })}.${bodyPart}.${signature}`,
    'the public key as a shared secret': hs256({ ...header, alg: 'HS256' }),
    'another type': `${encode({ ...header, typ: 'JWT' })}.${bodyPart}.${signature}`,
    'another role': `${headPart}.${encode({ ...claims, role: 'admin', sub: 'x' })}.${signature}`,
    'no signature': `${headPart}.${bodyPart}.`,
    'half a signature': `${headPart}.${bodyPart}.${signature.slice(0, 40)}`,
    'a refresh token': admin.refreshToken,
    'not a token': 'a.b.c',
    'a huge one': `${headPart}.${'a'.repeat(5_000)}.${signature}`,
  };
  for (const [what, token] of Object.entries(forged)) {
    assertProblem(await shop.me(token), 401, 'unauthenticated', what);
  }
  const basic = await shop.send('GET', '/api/users/me', { headers: { Authorization: 'Basic YTpi' } });
  assertProblem(basic, 401, 'unauthenticated', 'another scheme');
  assert.equal((await shop.me(admin.accessToken)).status, 200);
});
