import { createHmac, createPublicKey, createSign, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import jwt from 'jsonwebtoken';

/** What a forger may know, and what only the shop does. */
export interface TokenMaterial {
  /** A good access token. */
  token: string;
  /** A good token of a service for `callee`. */
  serviceToken(callee: string): string;
  /** What signs good access tokens. */
  privateKey: KeyObject;
  /** What signs good service tokens. */
  serviceSecret: string;
  refreshToken: string;
}

export type Forged = readonly [what: string, token: string];

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const partsOf = (token: string) => token.split('.') as [string, string, string];
const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const edwards = generateKeyPairSync('ed25519');
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });

const es256 = (header: unknown, claims: unknown, key: KeyObject): string => {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${createSign('sha256').update(input).sign({ key, dsaEncoding: 'ieee-p1363' }, 'base64url')}`;
};
const hmac = (header: object, claims: unknown, secret: string | Buffer, hash = 'sha256'): string => {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`;
};

/** Access tokens that nobody may take: forged, spoilt, or signed by the shop's own key and yet not what they must be. */
export function forgedAccessTokens(material: TokenMaterial): Forged[] {
  const { header, payload } = jwt.decode(material.token, { complete: true }) as jwt.Jwt;
  const claims = payload as jwt.JwtPayload;
  return [
    ...unsigned(material, header, claims),
    ...otherKeys(material, header, claims),
    ...wrongClaims(material, header, claims),
    ...broken(material),
  ];
}

function unsigned({ token }: TokenMaterial, header: jwt.JwtHeader, claims: jwt.JwtPayload): Forged[] {
  const [head, body, signature] = partsOf(token);
  const promoted = encode({ ...claims, role: 'admin', sub: 'somebody-else' });
  const none = (alg: string) => encode({ ...header, alg });
  return [
    ['alg none', `${none('none')}.${body}.`],
    ['alg none with a signature', `${none('none')}.${body}.${signature}`],
    ['alg nOnE with a signature', `${none('nOnE')}.${body}.${signature}`],
    ['an empty alg', `${none('')}.${body}.${signature}`],
    ['no alg', `${encode({ ...header, alg: undefined })}.${body}.${signature}`],
    ['another role and user', `${head}.${promoted}.${signature}`],
    ['another header', `${encode({ ...header, cty: 'JWT' })}.${body}.${signature}`],
    ['no signature', `${head}.${body}.`],
    ['half a signature', `${head}.${body}.${signature.slice(0, 43)}`],
    ['a signature of zeros', `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`],
    [
      'a signature in DER',
      `${head}.${body}.${Buffer.concat([Buffer.from([0x30, 0x06, 2, 1, 0, 2, 1, 0])]).toString('base64url')}`,
    ],
    ['a signature with a flipped bit', `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`],
  ];
}

function otherKeys(
  { privateKey, serviceSecret }: TokenMaterial,
  header: jwt.JwtHeader,
  claims: jwt.JwtPayload,
): Forged[] {
  const publicKey = createPublicKey(privateKey);
  const pem = publicKey.export({ format: 'pem', type: 'spki' }) as string;
  const jwk = publicKey.export({ format: 'jwk' });
  const hs = { ...header, alg: 'HS256' };
  const signedBy = (alg: string, key: KeyObject, hash: string | null) => {
    const input = `${encode({ ...header, alg })}.${encode(claims)}`;
    return `${input}.${sign(hash, Buffer.from(input), key).toString('base64url')}`;
  };
  const ownJwk = own.publicKey.export({ format: 'jwk' });
  const kid = (value: unknown) => es256({ ...header, kid: value }, claims, own.privateKey);
  return [
    ['HS256 with the public key in PEM', hmac(hs, claims, pem)],
    [
      'HS256 with the public key as JWK',
      hmac(hs, claims, JSON.stringify({ ...jwk, kid: header.kid, alg: 'ES256', use: 'sig' })),
    ],
    ['HS256 with the public key in DER', hmac(hs, claims, publicKey.export({ format: 'der', type: 'spki' }))],
    ['HS256 with nothing', hmac(hs, claims, '')],
    ['HS256 with the secret of the services', hmac(hs, claims, serviceSecret)],
    ['HS512 with the public key', hmac({ ...header, alg: 'HS512' }, claims, pem, 'sha512')],
    ['RS256', signedBy('RS256', rsa.privateKey, 'sha256')],
    ['EdDSA', signedBy('EdDSA', edwards.privateKey, null)],
    ['ES384', signedBy('ES384', p384.privateKey, 'sha384')],
    ['ES256 by another key', es256(header, claims, own.privateKey)],
    ['its key in the header', es256({ ...header, jwk: ownJwk }, claims, own.privateKey)],
    ['its key at an address', es256({ ...header, jku: 'http://127.0.0.1:9/keys' }, claims, own.privateKey)],
    ['its certificate at an address', es256({ ...header, x5u: 'http://127.0.0.1:9/x' }, claims, own.privateKey)],
    ['its certificate in the header', es256({ ...header, x5c: ['MIIB'] }, claims, own.privateKey)],
    ['an unknown kid', kid('01995f6e-7a1c-7000-8000-5d2f3c6b7a19')],
    ['a kid that is a path', kid('../../../../dev/null')],
    ['a kid that is an address', kid('http://127.0.0.1:9/key')],
    ['a kid for SQL', kid("x' union select 'secret' --")],
    ['a kid that is an operator', kid({ $ne: '' })],
    ['a kid that is a list', kid([header.kid])],
    ['a kid that is __proto__', kid('__proto__')],
    ['an empty kid', kid('')],
    ['no kid', kid(undefined)],
  ];
}

/** Signed by the right key: what the shop never says. */
function wrongClaims({ privateKey }: TokenMaterial, header: jwt.JwtHeader, claims: jwt.JwtPayload): Forged[] {
  const good = (changed: object) => es256(header, { ...claims, ...changed }, privateKey);
  const headed = (changed: object) => es256({ ...header, ...changed }, claims, privateKey);
  const now = Math.floor(Date.now() / 1000);
  return [
    ['typ JWT', headed({ typ: 'JWT' })],
    ['typ of the services', headed({ typ: 'service+jwt' })],
    ['no typ', headed({ typ: undefined })],
    ['something critical', headed({ crit: ['b64'], b64: false })],
    ['expired', good({ iat: now - 920, exp: now - 20 })],
    ['no exp', good({ exp: undefined })],
    ['exp as text', good({ exp: String(now + 900) })],
    ['ten years to live', good({ exp: now + 10 * 365 * 86_400 })],
    ['not good yet', good({ nbf: now + 600 })],
    ['no iat', good({ iat: undefined })],
    ['another iss', good({ iss: 'order-service' })],
    ['no iss', good({ iss: undefined })],
    ['another aud', good({ aud: 'user-service' })],
    ['no aud', good({ aud: undefined })],
    ['a list of others as aud', good({ aud: ['user-service', 'tradepost'] })],
    ['no sub', good({ sub: undefined })],
    ['an empty sub', good({ sub: '' })],
    ['an operator as sub', good({ sub: { $ne: '' } })],
    ['an unknown role', good({ role: 'root' })],
    ['the role of a service', good({ role: 'service' })],
    ['a list of roles', good({ role: ['admin'] })],
    ['no role', good({ role: undefined })],
    ['no session', good({ sid: undefined })],
    ['no jti', good({ jti: undefined })],
    ['claims that are a list', es256(header, [claims], privateKey)],
    ['claims that are text', es256(header, 'admin', privateKey)],
  ];
}

function broken({ token, refreshToken, serviceToken }: TokenMaterial): Forged[] {
  const [head, body, signature] = partsOf(token);
  return [
    ['cut off', token.slice(0, -10)],
    ['only two parts', `${head}.${body}`],
    ['four parts', `${token}.${signature}`],
    ['five parts, as encrypted ones have', `${head}..${body}.${signature}.${signature}`],
    ['something behind it', `${token}=`],
    ['twice', `${token} ${token}`],
    ['two with a comma', `${token},${token}`],
    ['huge', `${head}.${'a'.repeat(5_000)}.${signature}`],
    ['no JSON', 'a.b.c'],
    ['dots', '...'],
    ['a refresh token', refreshToken],
    ['a token of order-service for user-service', serviceToken('user-service')],
    ['a token of order-service for payment-service', serviceToken('payment-service')],
  ];
}

/** Service tokens that `callee` may not take. */
export function forgedServiceTokens(material: TokenMaterial, callee: string): Forged[] {
  const { token, serviceToken, serviceSecret, privateKey } = material;
  const good = serviceToken(callee);
  const { header, payload } = jwt.decode(good, { complete: true }) as jwt.Jwt;
  const claims = payload as jwt.JwtPayload;
  const [head, body, signature] = partsOf(good);
  const now = Math.floor(Date.now() / 1000);
  const changed = (own: object) => hmac(header, { ...claims, ...own }, serviceSecret);
  const headed = (own: object, hash?: string) => hmac({ ...header, ...own }, claims, serviceSecret, hash);
  return [
    ["a user's token", token],
    ['a token for another service', serviceToken(callee === 'user-service' ? 'order-service' : 'user-service')],
    ['alg none', `${encode({ ...header, alg: 'none' })}.${body}.`],
    ['HS512', headed({ alg: 'HS512' }, 'sha512')],
    ['ES256 by the key of the users', es256({ ...header, alg: 'ES256' }, claims, privateKey)],
    ['another secret', hmac(header, claims, 'a secret that nobody has agreed upon')],
    ['no secret', hmac(header, claims, '')],
    ['typ of the users', headed({ typ: 'at+jwt' })],
    ['typ JWT', headed({ typ: 'JWT' })],
    ['no typ', headed({ typ: undefined })],
    ['something critical', headed({ crit: ['exp'] })],
    ['expired', changed({ iat: now - 120, exp: now - 60 })],
    ['an hour to live', changed({ exp: now + 3_600 })],
    ['no exp', changed({ exp: undefined })],
    ['no iat', changed({ iat: undefined })],
    ['not good yet', changed({ nbf: now + 600 })],
    ['no caller', changed({ iss: undefined })],
    ['an empty caller', changed({ iss: '' })],
    ['no callee', changed({ aud: undefined })],
    ['all services as callee', changed({ aud: '*' })],
    ['another caller, not signed anew', `${head}.${encode({ ...claims, iss: 'gateway' })}.${signature}`],
    ['no signature', `${head}.${body}.`],
    ['half a signature', `${head}.${body}.${signature.slice(0, 20)}`],
    ['cut off', good.slice(0, -5)],
  ];
}
