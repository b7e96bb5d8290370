import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAccessTokenVerifier } from '@tradepost/shared/http/auth';
import { StartError } from '@tradepost/shared/lifecycle';
import jwt from 'jsonwebtoken';
import { publishBeforeMs } from './domain/signingKeys.ts';
import { createSigningKeyModel } from './models/signingKeyModel.ts';
import { createKeyRing } from './services/keyRing.ts';
import { rotateKeys } from './services/rotateKeys.ts';
import { startUserService, tokenKeySecret, type UserServiceTest } from './testing/userService.ts';

const minute = 60_000;
let shop: UserServiceTest;
before(async () => {
  shop = await startUserService();
});
after(() => shop.close());

const keySet = async (url = shop.url) => {
  const response = await fetch(`${url}/.well-known/jwks.json`);
  return { response, keys: ((await response.json()) as { keys: Record<string, string>[] }).keys };
};
const kidOf = (token: string) => jwt.decode(token, { complete: true })?.header.kid;

/** The keys of another process, as a command or instance sees them. */
function otherKeys(test: UserServiceTest) {
  return createSigningKeyModel(test.connection.useDb(test.connection.name, { useCache: false }));
}

test('the key set is public, may be cached, and has nothing private', async () => {
  const { response, keys } = await keySet();
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('cache-control'), 'public, max-age=300');
  assert.equal(keys.length, 1);
  assert.deepEqual(Object.keys(keys[0] ?? {}).toSorted(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  const { accessToken } = await shop.register();
  assert.equal(kidOf(accessToken), keys[0]?.kid);
  const stored = JSON.stringify(await shop.connection.collection('signing_keys').find().toArray());
  assert.ok(!/PRIVATE KEY|"d"/.test(stored));
});

test('others verify access tokens by the published keys alone', async () => {
  const account = await shop.register();
  const verify = createAccessTokenVerifier({ jwksUri: `${shop.url}/.well-known/jwks.json` });
  const actor = await verify(account.accessToken);
  assert.deepEqual([actor.id, actor.role], [account.id, 'customer']);
});

test('instances that start together make one key and share it', async () => {
  const own = await startUserService();
  try {
    const model = otherKeys(own);
    await model.deleteMany({});
    const parts = { secret: tokenKeySecret, clock: own.dependencies.clock, logger: own.dependencies.logger };
    const rings = Array.from({ length: 8 }, () => createKeyRing({ keys: model, ...parts }));
    await Promise.all(rings.map(ring => ring.start()));
    for (const ring of rings) ring.stop();
    assert.equal(await model.countDocuments(), 1);
    assert.equal(new Set(rings.map(ring => ring.signingKey().kid)).size, 1);
  } finally {
    await own.close();
  }
});

test('a token of one instance is good at the other', async () => {
  const second = await shop.startSecond();
  try {
    const { accessToken } = await shop.register();
    const response = await fetch(`${second.url}/api/users/me`, { headers: { Authorization: `Bearer ${accessToken}` } });
    assert.equal(response.status, 200);
  } finally {
    await second.close();
  }
});

test('another secret than the keys were stored under stops the start with a clear word', async () => {
  await assert.rejects(shop.startSecond({ TOKEN_KEY_SECRET: 'quite another secret of 32 characters' }), error => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, /TOKEN_KEY_SECRET/);
    return true;
  });
});

test('through a rotation no token is refused, and the old key goes when its last token has expired', async () => {
  const own = await startUserService();
  const second = await own.startSecond();
  try {
    const keys = otherKeys(own);
    const rotate = () => rotateKeys({ keys, clock: own.dependencies.clock, secret: tokenKeySecret });
    const account = await own.register();
    const jwksUri = `${second.url}/.well-known/jwks.json`;
    const verifyElsewhere = createAccessTokenVerifier({ jwksUri, clock: own.dependencies.clock });
    await verifyElsewhere(account.accessToken);
    const oldKid = kidOf(account.accessToken);
    const rotation = await rotate();
    assert.deepEqual([rotation.created, rotation.kid === oldKid], [true, false]);
    assert.deepEqual(await rotate(), { ...rotation, created: false }, 'a second call waits for the first');

    let refreshToken = account.refreshToken;
    const tokens = [account.accessToken];
    const kids: (string | undefined)[] = [];
    for (let minutes = 0; minutes <= 30; minutes += 2) {
      const next = await own.refresh(refreshToken);
      assert.equal(next.status, 200);
      refreshToken = next.body.refreshToken;
      tokens.push(next.body.accessToken);
      kids.push(kidOf(next.body.accessToken));
      for (const token of tokens.slice(-7)) {
        assert.equal((await own.me(token)).status, 200);
        await verifyElsewhere(token);
        const there = await fetch(`${second.url}/api/users/me`, { headers: { Authorization: `Bearer ${token}` } });
        assert.equal(there.status, 200);
      }
      own.advance(2 * minute);
      if (minutes === 0) await reload(own, second.url, rotation.kid);
    }
    assert.deepEqual([...new Set(kids)], [oldKid, rotation.kid]);
    assert.equal(kids.indexOf(rotation.kid) * 2 * minute, publishBeforeMs, 'published ten minutes before it signs');
    assert.deepEqual(
      (await keySet(own.url)).keys.map(key => key.kid),
      [rotation.kid],
    );

    const third = await rotate();
    assert.equal(third.created, true);
    assert.deepEqual(
      (await keys.find().sort({ sequence: 1 }).lean()).map(key => key._id),
      [rotation.kid, third.kid],
    );
  } finally {
    await second.close();
    await own.close();
  }
});

test('rotations that run at once make one key', async () => {
  const own = await startUserService();
  try {
    const keys = otherKeys(own);
    const parts = { keys, clock: own.dependencies.clock, secret: tokenKeySecret };
    const made = await Promise.all(Array.from({ length: 5 }, () => rotateKeys(parts)));
    assert.equal(new Set(made.map(rotation => rotation.kid)).size, 1);
    assert.equal(made.filter(rotation => rotation.created).length, 1);
    assert.equal(await keys.countDocuments(), 2);
  } finally {
    await own.close();
  }
});

/** Makes both instances read the keys again now, as they do each minute, by asking with a key id they do not know. */
async function reload(own: UserServiceTest, otherUrl: string, expected: string): Promise<void> {
  const forged = jwt.sign({}, 'x', { header: { alg: 'HS256', typ: 'at+jwt', kid: expected } }).split('.');
  const head = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: expected })).toString('base64url');
  const token = [head, forged[1], forged[2]].join('.');
  for (const url of [own.url, otherUrl]) {
    await new Promise(resolve => setTimeout(resolve, 1_100));
    const response = await fetch(`${url}/api/users/me`, { headers: { Authorization: `Bearer ${token}` } });
    assert.equal(response.status, 401);
    assert.ok((await keySet(url)).keys.some(key => key.kid === expected));
  }
}
