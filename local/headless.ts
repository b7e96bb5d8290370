import { systemClock } from '@tradepost/shared/clock';
import { type ServiceName, serviceNames, staticDiscovery } from '@tradepost/shared/discovery';
import { createServiceTokenSigner, createServiceTokenVerifier } from '@tradepost/shared/http/auth';
import { createServiceClient, type ServiceClient } from '@tradepost/shared/http/client';
import { type Listener, listen } from '@tradepost/shared/http/listener';
import { newId } from '@tradepost/shared/ids';
import { silentLogger } from '@tradepost/shared/logger';
import { createRegistry } from '@tradepost/shared/observability/metrics';
import { createLocalBus } from './bus/localBus.ts';
import type { OpenShop } from './openShop.ts';
import { serviceFactories } from './services.ts';

const caller = 'order-service';

/**
 * Lets a command ask services, whether the shop runs or not: they answer on ports of their own, on the shop's databases,
 * with nothing at work beside that.
 */
export async function withHeadless<T>(
  shop: OpenShop,
  names: readonly ServiceName[],
  work: (client: (name: ServiceName) => ServiceClient) => Promise<T>,
): Promise<T> {
  const { serviceTokenSecret, tokenKeySecret } = shop.secrets;
  const factories = serviceFactories({ ...process.env, TOKEN_KEY_SECRET: tokenKeySecret });
  const [clock, logger] = [systemClock, silentLogger()];
  const bus = await createLocalBus({ connection: await shop.connect('bus'), clock, newId, logger });
  const addresses = Object.fromEntries(serviceNames.map(name => [name, [] as string[]])) as Record<
    ServiceName,
    string[]
  >;
  const listeners: Listener[] = [];
  const discovery = staticDiscovery(addresses);
  const signToken = createServiceTokenSigner(caller, serviceTokenSecret, clock);
  const nobody = () => Promise.reject(new Error('commands have no users'));
  try {
    for (const name of names) {
      const service = factories[name]({
        connection: await shop.connect(name),
        ...{ bus, discovery, signToken, logger, clock, newId, random: Math.random },
        verify: { user: nobody, service: createServiceTokenVerifier(name, serviceTokenSecret) },
        registry: createRegistry(name, { processMetrics: false }),
      });
      const listener = await listen(service.listener, { port: 0, host: '127.0.0.1' });
      listeners.push(listener);
      addresses[name].push(`http://127.0.0.1:${listener.port}`);
    }
    return await work(callee => createServiceClient({ callee, discovery, signToken, random: Math.random }));
  } finally {
    await Promise.all(listeners.map(listener => listener.close(1_000)));
    await bus.close();
  }
}
