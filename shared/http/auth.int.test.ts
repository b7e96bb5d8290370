import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import jwt from 'jsonwebtoken';
import { isAppError } from '../errors.ts';
import { accessTokenType, createAccessTokenVerifier, tokenAudience, tokenIssuer } from './auth.ts';

/** A key set that can be away, and tokens by keys that it has or not. */
async function startKeySet(t: TestContext) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = { ...publicKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' };
  let keys = [{ ...key, kid: 'known' }];
  let fetches = 0;
  let away = false;
  const server = createServer((_request, response) => {
    fetches += 1;
    if (away) response.writeHead(503).end();
    else response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys }));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  let now = Date.now();
  const jwksUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  return {
    verify: createAccessTokenVerifier({ jwksUri, clock: () => new Date(now) }),
    fetches: () => fetches,
    leave: () => {
      away = true;
    },
    comeBack: () => {
      away = false;
    },
    /** Publishes the key under another name only. */
    rename: (kid: string) => {
      keys = [{ ...key, kid }];
    },
    advance: (ms: number) => {
      now += ms;
    },
    token: (kid = 'known') =>
      jwt.sign({ role: 'customer', sid: 's' }, privateKey, {
        ...{ algorithm: 'ES256', issuer: tokenIssuer, audience: tokenAudience, subject: 'u', jwtid: randomUUID() },
        ...{ expiresIn: 900, header: { alg: 'ES256', typ: accessTokenType, kid } },
      }),
  };
}

/** Looks until it is so; rejects after 10 s. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; !(await isSo()); await new Promise(resolve => setTimeout(resolve, 5))) {
    assert.ok(Date.now() < end, 'nothing happened within 10 s');
  }
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: unknown) => (isAppError(error) ? error.code : String(error)),
  );

test('unknown key ids have the key set fetched again, and not more than every three seconds', async t => {
  const keySet = await startKeySet(t);
  assert.equal(await codeOf(keySet.verify(keySet.token())), 'ok');
  for (let count = 0; count < 50; count += 1) {
    assert.equal(await codeOf(keySet.verify(keySet.token(`unknown-${count}`))), 'unauthenticated');
  }
  assert.equal(keySet.fetches(), 1);
  keySet.advance(3_001);
  const many = Array.from({ length: 50 }, (_, count) => codeOf(keySet.verify(keySet.token(`another-${count}`))));
  assert.deepEqual([...new Set(await Promise.all(many))], ['unauthenticated']);
  assert.equal(keySet.fetches(), 2);
});

test('while the key set is away a key that was seen is good, and a token of another is refused as not to be told', async t => {
  const keySet = await startKeySet(t);
  assert.equal(await codeOf(keySet.verify(keySet.token())), 'ok');
  keySet.leave();
  keySet.advance(3_001);
  assert.equal(await codeOf(keySet.verify(keySet.token('unknown'))), 'service_unavailable');
  assert.equal(await codeOf(keySet.verify(keySet.token())), 'ok');
});

test('a key that was withdrawn is refused when the key set is five minutes old, and not because that is away', async t => {
  const keySet = await startKeySet(t);
  assert.equal(await codeOf(keySet.verify(keySet.token())), 'ok');
  keySet.rename('next');
  keySet.advance(299_000);
  assert.equal(await codeOf(keySet.verify(keySet.token())), 'ok');
  assert.equal(keySet.fetches(), 1);
  keySet.leave();
  keySet.advance(2_000);
  for (let count = 0; count < 20; count += 1) assert.equal(await codeOf(keySet.verify(keySet.token())), 'ok');
  await until(() => keySet.fetches() === 2);
  keySet.comeBack();
  await until(async () => {
    keySet.advance(3_001);
    return (await codeOf(keySet.verify(keySet.token()))) === 'unauthenticated';
  });
  assert.equal(await codeOf(keySet.verify(keySet.token('next'))), 'ok');
});

test('a key set that was never there lets nobody in', async t => {
  const keySet = await startKeySet(t);
  keySet.leave();
  assert.equal(await codeOf(keySet.verify(keySet.token())), 'service_unavailable');
});
