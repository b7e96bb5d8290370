import Consul from 'consul';
import { z } from 'zod';
import { type Discovery, type ServiceName, serviceNames } from './discovery.ts';
import type { Logger } from './logger.ts';

const reregisterMs = 10_000;
const restartMs = 1_000;
/** Longest wait for an agent that takes the connection and says nothing. */
const answerMs = 2_000;

/** The `consul` client for an address like `http://consul:8500`. Queries that wait for a change bound that themselves. */
function clientOf(url: string): Consul {
  const { hostname, port, protocol } = new URL(url);
  const secure = protocol === 'https:';
  // Its types leave out `timeout`.
  const options = { host: hostname, port: Number(port || (secure ? 443 : 8500)), secure, timeout: answerMs };
  return new Consul(options);
}

const passing = z.array(
  z.object({ Node: z.object({ Address: z.string() }), Service: z.object({ Address: z.string(), Port: z.int() }) }),
);

/**
 * Where the healthy instances are, from a view of Consul's catalogue that blocking queries keep current. While Consul is
 * away, or says that no instance is healthy, the last known ones are used: a wrong address costs one failed try, no
 * address costs the request.
 */
export function consulDiscovery(options: {
  url: string;
  logger: Logger;
  services?: readonly ServiceName[];
}): Discovery {
  const client = clientOf(options.url);
  const known = new Map<ServiceName, readonly string[]>();
  const next = new Map<ServiceName, number>();
  const stops = (options.services ?? serviceNames).map(service =>
    watch(client, service, options.logger, addresses => known.set(service, addresses)),
  );
  return {
    instances(service) {
      const all = known.get(service) ?? [];
      const start = (next.get(service) ?? 0) % Math.max(1, all.length);
      next.set(service, start + 1);
      return [...all.slice(start), ...all.slice(0, start)];
    },
    async close() {
      for (const stop of stops) stop();
    },
  };
}

/** Watches one service until the returned function is called; the library backs off while Consul is away. */
function watch(
  client: Consul,
  service: ServiceName,
  logger: Logger,
  onChange: (addresses: string[]) => void,
): () => void {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let current: ReturnType<Consul['watch']>;
  const run = (): void => {
    current = client.watch({
      method: client.health.service,
      // The types know strings only; the agent reads `passing` as a flag.
      options: { service, passing: true, wait: '30s' } as unknown as Record<string, string>,
      backoffFactor: 100,
      backoffMax: 5_000,
    });
    current.on('change', (data: unknown) => {
      const entries = passing.safeParse(data);
      if (!entries.success)
        logger.warn({ err: entries.error, service }, 'Consul gave an answer that is not understood');
      else if (entries.data.length > 0) {
        onChange(entries.data.map(({ Node, Service }) => `http://${Service.Address || Node.Address}:${Service.Port}`));
      }
    });
    current.on('error', (error: Error) => logger.warn({ err: error, service }, 'Consul is not available'));
    // It ends by itself when Consul refuses a query.
    current.on('end', () => {
      if (!stopped) timer = setTimeout(run, restartMs);
    });
  };
  run();
  return () => {
    stopped = true;
    clearTimeout(timer);
    current.end();
  };
}

export interface Registration {
  /** Takes the instance out of Consul. */
  deregister(): Promise<void>;
}

/**
 * Registers an instance with a check of its readiness; Consul drops it after a minute of failing checks. The
 * registration is repeated now and then, because an agent that was started anew has forgotten it.
 * @param options.metricsPort where it serves /metrics, told as `metrics_port` in the instance's metadata
 * @param options.address host name or address under which others reach this instance
 */
export function register(options: {
  url: string;
  name: string;
  address: string;
  port: number;
  metricsPort: number;
  logger: Logger;
}): Registration {
  const { name, address, port, metricsPort, logger } = options;
  const client = clientOf(options.url);
  const id = `${name}-${address}-${port}`;
  const announce = async (): Promise<void> => {
    try {
      await client.agent.service.register({
        id,
        name,
        address,
        port,
        meta: { metrics_port: String(metricsPort) },
        check: {
          name: 'readiness',
          http: `http://${address}:${port}/health/ready`,
          interval: '2s',
          timeout: '2s',
          deregistercriticalserviceafter: '1m',
        },
      });
    } catch (error) {
      logger.warn({ err: error }, 'registering in Consul failed');
    }
  };
  let pending = announce();
  const timer = setInterval(() => {
    pending = announce();
  }, reregisterMs);
  return {
    async deregister() {
      clearInterval(timer);
      await pending;
      await client.agent.service.deregister(id).catch((error: unknown) => {
        logger.warn({ err: error }, 'leaving Consul failed; it will drop this instance by its check');
      });
    },
  };
}
