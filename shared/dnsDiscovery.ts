import { lookup as systemLookup } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Discovery, type ServiceName, serviceNames } from './discovery.ts';
import type { Logger } from './logger.ts';

/** All addresses of a host name, as the system finds them; rejects when there are none. */
export type LookUp = (host: string) => Promise<readonly { address: string; family: number }[]>;

const bySystem: LookUp = host => systemLookup(host, { all: true });

/**
 * Where the instances are, by names that have an address for each of them, as a headless service of Kubernetes does. The
 * names are looked up again every `refreshMs`. While a name has no address, or nobody answers, the last known ones are
 * used: a wrong address costs one failed try, no address costs the request.
 * @param options.addresses `http://name:port` of every service, also several; a port belongs to all instances of its name
 */
export function dnsDiscovery(options: {
  addresses: Readonly<Record<ServiceName, readonly string[]>>;
  refreshMs: number;
  logger: Logger;
  lookUp?: LookUp;
}): Discovery {
  const { addresses, refreshMs, logger, lookUp = bySystem } = options;
  /** By the address as it was set. */
  const known = new Map<string, readonly string[]>();
  const next = new Map<ServiceName, number>();
  const lost = new Set<string>();
  const closing = new AbortController();

  async function refresh(address: string): Promise<void> {
    try {
      known.set(address, (await instancesAt(address, lookUp)).sort());
      lost.delete(address);
    } catch (error) {
      // Once for each time, not for each look.
      if (!lost.has(address)) logger.warn({ err: error, address }, 'a name of a service has no address');
      lost.add(address);
    }
  }

  async function keepLooking(): Promise<void> {
    while (!closing.signal.aborted) {
      // One after the other: each holds one of the few threads that files and hashing need too, for seconds while no name
      // server answers.
      for (const address of serviceNames.flatMap(service => addresses[service])) {
        if (!closing.signal.aborted) await refresh(address);
      }
      await sleep(refreshMs, undefined, { signal: closing.signal }).catch(() => {});
    }
  }

  void keepLooking();
  return {
    instances(service) {
      const all = addresses[service].flatMap(address => known.get(address) ?? []);
      const start = (next.get(service) ?? 0) % Math.max(1, all.length);
      next.set(service, start + 1);
      return [...all.slice(start), ...all.slice(0, start)];
    },
    close: async () => closing.abort(),
  };
}

/** `http://name:3001` → `http://10.0.0.7:3001`, `http://[fd00::7]:3001`. */
async function instancesAt(base: string, lookUp: LookUp): Promise<string[]> {
  const { protocol, hostname, port } = new URL(base);
  // Not a name but an address, in brackets where it is one of IPv6.
  const found = await lookUp(hostname.replace(/^\[(.*)\]$/, '$1'));
  return found.map(({ address, family }) => {
    const host = family === 6 ? `[${address}]` : address;
    return `${protocol}//${host}${port ? `:${port}` : ''}`;
  });
}
