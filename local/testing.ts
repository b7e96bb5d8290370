import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, systemClock } from '@tradepost/shared/clock';
import { type Discovery, type ServiceName, serviceNames, staticDiscovery } from '@tradepost/shared/discovery';
import {
  accessTokenType,
  createAccessTokenVerifier,
  createServiceTokenSigner,
  createServiceTokenVerifier,
  tokenAudience,
  tokenIssuer,
} from '@tradepost/shared/http/auth';
import { listen } from '@tradepost/shared/http/listener';
import { newId } from '@tradepost/shared/ids';
import { silentLogger } from '@tradepost/shared/logger';
import type { EventBus } from '@tradepost/shared/messaging/eventBus';
import { createConnection } from '@tradepost/shared/mongo';
import { createRegistry, type Registry } from '@tradepost/shared/observability/metrics';
import type { Service, ServiceDependencies } from '@tradepost/shared/service';
import jwt from 'jsonwebtoken';
import type { Connection } from 'mongoose';
import { createLocalBus } from './bus/localBus.ts';

/** A database server for one test file: the embedded store in memory, or the server that TEST_MONGODB_URI names. */
export async function startTestDatabase(): Promise<{ uri(database: string): string; close(): Promise<void> }> {
  const given = process.env.TEST_MONGODB_URI;
  if (given)
    return { uri: database => `${given.replace(/\/$/, '')}/${database}-${randomUUID()}`, close: async () => {} };
  const { startDocumentStore } = await import('./store/documentStore.ts');
  return startDocumentStore({ memory: true, port: 0 });
}

const keys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** Signs users' tokens and serves their keys, as user-service does. */
export async function startTestIssuer() {
  const { privateKey, publicKey } = keys();
  const body = JSON.stringify({
    keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'test', alg: 'ES256', use: 'sig' }],
  });
  const server = createServer((_request, response) => response.setHeader('Content-Type', 'application/json').end(body));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    jwksUri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/.well-known/jwks.json`,
    /** A good token unless `claims` or `header` spoil it. */
    token(
      user: { id: string; role?: 'customer' | 'admin'; sessionId?: string },
      options: jwt.SignOptions = {},
    ): string {
      return jwt.sign({ role: user.role ?? 'customer', sid: user.sessionId ?? randomUUID() }, privateKey, {
        algorithm: 'ES256',
        issuer: tokenIssuer,
        audience: tokenAudience,
        subject: user.id,
        expiresIn: 900,
        jwtid: randomUUID(),
        header: { alg: 'ES256', typ: accessTokenType, kid: 'test' },
        ...options,
      });
    },
    close: () => new Promise<void>(resolve => server.close(() => resolve())),
  };
}

export interface TestAnswer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  body: any;
}

/** Sends a JSON request; `token` as bearer, `body` as JSON unless it is a string. */
export async function send(
  base: string,
  method: string,
  path: string,
  options: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<TestAnswer> {
  const response = await fetch(base + path, {
    method,
    redirect: 'manual',
    headers: {
      ...(options.token ? { Authorization: `Bearer ${options.token}` } : {}),
      ...(options.body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...options.headers,
    },
    ...(options.body === undefined
      ? {}
      : { body: typeof options.body === 'string' ? options.body : JSON.stringify(options.body) }),
  });
  const text = await response.text();
  const json =
    /json/.test(response.headers.get('content-type') ?? '') &&
    !/ndjson/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: json && text ? JSON.parse(text) : text };
}

export interface TestService {
  url: string;
  service: Service;
  connection: Connection;
  bus: EventBus;
  registry: Registry;
  /** Signs a token of a user. */
  token: Awaited<ReturnType<typeof startTestIssuer>>['token'];
  /** Signs a token of another service for this one. */
  serviceToken(caller?: string): string;
  send(method: string, path: string, options?: Parameters<typeof send>[3]): Promise<TestAnswer>;
  close(): Promise<void>;
}

export interface TestServiceOptions {
  /** Addresses of the other services that this one calls. */
  addresses?: Partial<Record<ServiceName, string>>;
  clock?: Clock;
}

/** Starts one service on real sockets, on the embedded store and bus, with tokens of its own. */
export async function startTestService(
  name: ServiceName,
  create: (dependencies: ServiceDependencies) => Service,
  options: TestServiceOptions = {},
): Promise<TestService> {
  const [database, issuer] = await Promise.all([startTestDatabase(), startTestIssuer()]);
  const [connection, busConnection] = [createConnection(database.uri(name)), createConnection(database.uri('bus'))];
  await Promise.all([connection.asPromise(), busConnection.asPromise()]);
  const clock = options.clock ?? systemClock;
  const secret = randomBytes(32).toString('hex');
  const registry = createRegistry(name, { processMetrics: false });
  const bus = await createLocalBus({ connection: busConnection, clock: systemClock, newId, logger: silentLogger() });
  const discovery: Discovery = staticDiscovery(
    Object.fromEntries(serviceNames.map(one => [one, [options.addresses?.[one] ?? 'http://127.0.0.1:9']])) as Record<
      ServiceName,
      string[]
    >,
  );
  const service = create({
    connection,
    bus,
    discovery,
    signToken: createServiceTokenSigner(name, secret, systemClock),
    verify: {
      user: createAccessTokenVerifier({ jwksUri: issuer.jwksUri }),
      service: createServiceTokenVerifier(name, secret),
    },
    logger: silentLogger(),
    registry,
    clock,
    newId,
    random: Math.random,
  });
  const listener = await listen(service.listener, { port: 0, host: '127.0.0.1' });
  await service.start();
  const url = `http://127.0.0.1:${listener.port}`;
  return {
    url,
    service,
    connection,
    bus,
    registry,
    token: issuer.token,
    serviceToken: (caller = 'order-service') => createServiceTokenSigner(caller, secret, systemClock)(name),
    send: (method, path, request) => send(url, method, path, request),
    async close() {
      await service.stop();
      await listener.close(1_000);
      await bus.close();
      await Promise.all([connection.close(), busConnection.close(), issuer.close()]);
      await database.close();
    },
  };
}
