import { setTimeout as sleep } from 'node:timers/promises';
import { consulDiscovery, register } from '@tradepost/shared/consul';
import { type Discovery, type ServiceName, serviceNames, staticDiscovery } from '@tradepost/shared/discovery';
import { StartError } from '@tradepost/shared/lifecycle';
import type { Logger } from '@tradepost/shared/logger';
import { localHost, type ShopPorts } from './ports.ts';
import type { Teardown } from './teardown.ts';

const [answerLimitMs, knownAfterMs] = [5_000, 15_000];

/** How the services of this process find each other. */
export interface LocalDiscovery {
  discovery: Discovery;
  /**
   * Tells where the services are, once they are ready, and waits until that is known.
   * @throws StartError when Consul does not say so in time
   */
  announce(): Promise<void>;
}

/**
 * By their own ports, or in Consul where there is one.
 * @throws StartError when Consul does not answer
 */
export async function openDiscovery(
  consulUrl: string | undefined,
  ports: ShopPorts,
  logger: Logger,
  teardown: Teardown,
): Promise<LocalDiscovery> {
  if (consulUrl === undefined) {
    const addresses = Object.fromEntries(serviceNames.map(name => [name, [ports.services[name].address]]));
    return { discovery: staticDiscovery(addresses as Record<ServiceName, string[]>), announce: async () => {} };
  }
  await fetch(`${consulUrl}/v1/status/leader`, { signal: AbortSignal.timeout(answerLimitMs) }).catch(() => {
    throw new StartError(`CONSUL_URL: no Consul answers at ${consulUrl}`);
  });
  const discovery = consulDiscovery({ url: consulUrl, logger });
  teardown.add('discovery', 1_000, () => discovery.close());
  const isKnown = (name: ServiceName) => discovery.instances(name).includes(ports.services[name].address);
  return {
    discovery,
    async announce() {
      const registrations = serviceNames.map(name => {
        const { port } = ports.services[name];
        return register({ url: consulUrl, name, address: localHost, port, metricsPort: port, logger });
      });
      teardown.add('Consul', 1_000, () => Promise.all(registrations.map(one => one.deregister())));
      for (let waitedMs = 0; !serviceNames.every(isKnown); waitedMs += 100) {
        if (waitedMs >= knownAfterMs) throw new StartError(`CONSUL_URL: the services do not appear at ${consulUrl}`);
        await sleep(100);
      }
    },
  };
}
