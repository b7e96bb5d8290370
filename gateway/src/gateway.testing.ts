import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { send, startTestIssuer, type TestAnswer } from '@tradepost/local/testing';
import { systemClock } from '@tradepost/shared/clock';
import { loadConfig } from '@tradepost/shared/config';
import { type ServiceName, serviceNames, staticDiscovery } from '@tradepost/shared/discovery';
import { createAccessTokenVerifier } from '@tradepost/shared/http/auth';
import { listen } from '@tradepost/shared/http/listener';
import { newId } from '@tradepost/shared/ids';
import { silentLogger } from '@tradepost/shared/logger';
import { createRegistry, type Registry } from '@tradepost/shared/observability/metrics';
import { createGateway, type Gateway, type GatewayDependencies, listenLimits } from './app.ts';
import { type GatewayConfig, settings } from './config.ts';

/** A service at the edge of what is tested: a plain HTTP server. */
export interface Upstream {
  url: string;
  /** Requests that reached it, `GET /path` each. */
  seen: string[];
  /** Connections that were opened to it. */
  connections(): number;
  close(): Promise<void>;
}

/** Starts an upstream that ends with the test. */
export async function startUpstream(t: TestContext, handler: RequestListener, port = 0): Promise<Upstream> {
  const seen: string[] = [];
  let connections = 0;
  const server = createServer({ keepAliveTimeout: 30_000 }, (request, response) => {
    seen.push(`${request.method} ${request.url}`);
    handler(request, response);
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>(resolve => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  t.after(close);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    connections: () => connections,
    close,
  };
}

/** A port on which nobody listens. */
export async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

/** A bus on which nothing is ever heard. */
const silentBus: GatewayDependencies['bus'] = { status: () => 'up', listen: async () => ({ stop: async () => {} }) };

export interface TestGateway {
  url: string;
  port: number;
  gateway: Gateway;
  registry: Registry;
  token: Awaited<ReturnType<typeof startTestIssuer>>['token'];
  send(method: string, path: string, options?: Parameters<typeof send>[3]): Promise<TestAnswer>;
  /** The sum of a metric over all its labels, or over those given. */
  metric(name: string, labels?: Record<string, string>): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Starts a gateway in front of the given addresses that ends with the test; the other services are not there. Its
 * background work is left to those tests that call `gateway.start()`: it would take turns of the instances.
 */
export async function startGateway(
  t: TestContext,
  addresses: Partial<Record<ServiceName, string | string[]>>,
  config: Partial<GatewayConfig> = {},
  bus: GatewayDependencies['bus'] = silentBus,
): Promise<TestGateway> {
  const nobody = await closedPort();
  const issuer = await startTestIssuer();
  const registry = createRegistry('gateway', { processMetrics: false });
  const gateway = createGateway(
    {
      discovery: staticDiscovery(
        Object.fromEntries(serviceNames.map(one => [one, [addresses[one] ?? nobody].flat()])) as Record<
          ServiceName,
          string[]
        >,
      ),
      bus,
      verify: createAccessTokenVerifier({ jwksUri: issuer.jwksUri }),
      openapi: { openapi: '3.1.0', info: { title: 'Test', version: '1' }, paths: {} },
      logger: silentLogger(),
      registry,
      clock: systemClock,
      newId,
      random: Math.random,
    },
    { ...loadConfig(settings, {}), ...config },
  );
  const listener = await listen(gateway.listener, { port: 0, host: '127.0.0.1', ...listenLimits });
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= Promise.all([gateway.stop(), listener.close(1_000)]).then(() => issuer.close());
    return stopped;
  };
  t.after(stop);
  const url = `http://127.0.0.1:${listener.port}`;
  return {
    url,
    port: listener.port,
    gateway,
    registry,
    token: issuer.token,
    send: (method, path, options) => send(url, method, path, options),
    async metric(name, labels = {}) {
      const values = (await registry.getSingleMetric(name)?.get())?.values ?? [];
      return values
        .filter(one => Object.entries(labels).every(([label, value]) => one.labels[label] === value))
        .reduce((sum, one) => sum + one.value, 0);
    },
    stop,
  };
}

/** Waits for something to happen, at most 5 s. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 5_000; Date.now() < end; await sleep(5)) if (await condition()) return;
  assert.fail('it did not happen within 5 s');
}
