import { once } from 'node:events';
import { createServer } from 'node:net';
import { commonSettings, loadConfig } from '@tradepost/shared/config';
import { serviceNames } from '@tradepost/shared/discovery';
import { createConnection } from '@tradepost/shared/mongo';
import type { Registry } from '@tradepost/shared/observability/metrics';
import { openProcessParts } from '@tradepost/shared/processParts';
import { createGateway } from '../../gateway/src/app.ts';
import { gatewayConfig } from '../gateway.ts';
import { serviceFactories } from '../services.ts';

/** A metric, and which processes have it. */
export interface Metric {
  name: string;
  type: 'counter' | 'gauge' | 'histogram' | 'summary';
  help: string;
  /** Without `service`, which every series of a process has. */
  labels: readonly string[];
  services: string[];
}

/** What prom-client's registries say of a metric beside what their types tell. */
interface Registered {
  name: string;
  help: string;
  type: Metric['type'];
  labelNames?: readonly string[];
}

/**
 * The metrics of all processes of the shop, wired as they run but without any server: gateway and services are made, not
 * started.
 */
export function listMetrics(): Promise<Metric[]> {
  listed ??= wireAll();
  return listed;
}

let listed: Promise<Metric[]> | undefined;

async function wireAll(): Promise<Metric[]> {
  const port = await closedPort();
  const environment = {
    LOG_LEVEL: 'silent',
    SERVICE_TOKEN_SECRET: '-'.repeat(32),
    TOKEN_KEY_SECRET: '-'.repeat(32),
    RABBITMQ_URL: `amqp://127.0.0.1:${port}`,
    USER_SERVICE_URL: `http://127.0.0.1:${port}`,
  };
  const factories = serviceFactories(environment);
  const found = new Map<string, Metric>();
  const closing: Promise<unknown>[] = [];
  for (const name of ['gateway', ...serviceNames] as const) {
    const parts = openProcessParts(name, loadConfig(commonSettings, environment));
    const connection = createConnection(`mongodb://127.0.0.1:${port}/none`);
    connection.asPromise().catch(() => {});
    if (name === 'gateway') createGateway({ ...parts, verify: parts.verify.user, openapi: {} }, gatewayConfig({}));
    else factories[name]({ ...parts, connection });
    add(found, name, parts.registry);
    closing.push(parts.bus.close(), parts.discovery.close(), connection.close(true));
  }
  await Promise.all(closing);
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function add(found: Map<string, Metric>, service: string, registry: Registry): void {
  for (const metric of registry.getMetricsAsArray() as unknown as Registered[]) {
    const { name, help, type } = metric;
    const labels = (metric.labelNames ?? []).filter(label => label !== 'le');
    const known = found.get(name) ?? { name, help, type, labels, services: [] };
    known.services.push(service);
    found.set(name, known);
  }
}

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as { port: number };
  await once(server.close(), 'close');
  return port;
}
