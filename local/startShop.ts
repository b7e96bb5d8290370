import { type ServiceName, serviceNames } from '@tradepost/shared/discovery';
import { createLogger, type Logger } from '@tradepost/shared/logger';
import { createRegistry } from '@tradepost/shared/observability/metrics';
import { openTracing } from '@tradepost/shared/observability/tracing';
import type { Service } from '@tradepost/shared/service';
import { consoleLog } from './console.ts';
import { keepAdmin, keepSecrets, openDataFolder, runningFile } from './dataFolder.ts';
import { openDiscovery } from './discovery.ts';
import { gatewayConfig, startGateway } from './gateway.ts';
import { connectDatabase, startBus, startStore } from './infrastructure.ts';
import { createParts } from './parts.ts';
import { openPorts, type ShopPorts } from './ports.ts';
import { seedDemo } from './seed.ts';
import { type Failpoint, serviceFactories } from './services.ts';
import type { AdminCredentials, ShopSettings } from './settings.ts';
import { createTeardown, type Teardown } from './teardown.ts';

export interface Shop {
  /** The gateway's port and the others behind it. */
  ports: ShopPorts;
  /** Address of the database server, without a database. */
  mongodbUri: string;
  /** `isNew` on the one start that made them up. */
  admin: AdminCredentials & { isNew: boolean };
  /** Products that this start put into the empty catalogue. */
  seeded: number;
  /** Ends gateway, services, bus and store, in this order, within 10 s. */
  stop(): Promise<void>;
}

/**
 * Starts the whole shop in this process: the gateway and five services on ports of their own, behind them the embedded
 * document store and bus, or the servers that the settings name.
 * @param log takes the log, line by line
 * @param failpoint called at the named points of the services, for tests
 * @throws ConfigError or StartError when it cannot start; whatever had begun is ended by then
 */
export async function startShop(
  settings: ShopSettings,
  log: (text: string) => void,
  failpoint?: Failpoint,
): Promise<Shop> {
  const destination = consoleLog(log);
  const loggerOf = (name: string) => createLogger(name, settings.logLevel, destination);
  const teardown = createTeardown(loggerOf('shop'));
  try {
    return await start(settings, loggerOf, teardown, failpoint);
  } catch (error) {
    await teardown.run();
    throw error;
  }
}

async function start(
  settings: ShopSettings,
  loggerOf: (name: string) => Logger,
  teardown: Teardown,
  failpoint?: Failpoint,
): Promise<Shop> {
  const folder = settings.dataDir === undefined ? undefined : openDataFolder(settings.dataDir);
  teardown.add('data folder', 1_000, async () => folder?.release());
  const secrets = keepSecrets(folder);
  const admin = settings.admin ? { ...settings.admin, isNew: false } : keepAdmin(folder);
  const factories = serviceFactories(
    {
      ...settings.environment,
      TOKEN_KEY_SECRET: secrets.tokenKeySecret,
      ADMIN_EMAIL: admin.email,
      ADMIN_PASSWORD: admin.password,
    },
    failpoint,
  );
  const gateway = gatewayConfig(settings.environment);
  const tracing = await openTracing(settings.environment, loggerOf('shop'));
  teardown.add('traces', 2_500, async () => tracing?.close());
  const ports = await openPorts(settings.gatewayPort, teardown);
  const mongodbUri = settings.mongodbUri ?? (await startStore(folder, ports.store, teardown));
  const registry = createRegistry('gateway', { processMetrics: true });
  const exclusive = settings.mongodbUri === undefined;
  const bus = await startBus({ ...settings, mongodbUri, exclusive, logger: loggerOf('bus'), registry }, teardown);
  const { discovery, announce } = await openDiscovery(settings.consulUrl, ports, loggerOf('discovery'), teardown);
  const jwksUri = `${ports.services['user-service'].address}/.well-known/jwks.json`;
  const parts = createParts({ bus, discovery, jwksUri, secret: secrets.serviceTokenSecret, loggerOf, tracing });

  const services = await Promise.all(
    serviceNames.map(async name => {
      const traced = tracing !== undefined;
      const connection = await connectDatabase(mongodbUri, name, teardown, { traced, isOwn: exclusive });
      const own = createRegistry(name, { processMetrics: false });
      return factories[name]({ ...parts.dependenciesOf(name, own), connection });
    }),
  );
  await startServices(services, ports, teardown);
  await announce();
  await startGateway(parts, registry, gateway, ports, teardown);
  const seeded = settings.seedDemo
    ? await seedDemo({ folder, admin, addressOf: name => ports.services[name].address })
    : 0;

  folder?.write(runningFile, { pid: process.pid, gatewayUrl: ports.gateway.url, mongodbUri });
  teardown.add(runningFile, 1_000, async () => folder?.remove(runningFile));
  return { ports, mongodbUri, admin, seeded, stop: teardown.run };
}

/** Puts the services on their ports and waits until each is ready. */
async function startServices(services: readonly Service[], ports: ShopPorts, teardown: Teardown): Promise<void> {
  const portOf = (service: Service) => ports.services[service.name as ServiceName];
  for (const service of services) portOf(service).serve(service.listener);
  teardown.add('services', 4_000, async () => {
    // Orders that are being worked on need the others until they are at rest.
    for (const isOrderService of [true, false]) {
      const now = services.filter(service => (service.name === 'order-service') === isOrderService);
      await Promise.all(now.map(service => service.stop()));
    }
    await Promise.all(services.map(service => portOf(service).close(1_000)));
  });
  await Promise.all(services.map(service => service.start()));
}
