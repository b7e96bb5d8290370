import { createServer } from 'node:net';
import { serviceNames } from '@tradepost/shared/discovery';
import { localHost, portError } from '../ports.ts';
import { type ProcessName, processNames } from './settings.ts';

/** One process of the shop: which instance of what, and on which port. */
export interface Place {
  service: ProcessName;
  /** `order-service`, or `order-service-2` where there are several. */
  name: string;
  port: number;
  /** Of a gateway: its /metrics. */
  metricsPort?: number;
}

/**
 * Ports for all instances: the first ones as `npm start` has them (gateway, the services, the gateway's metrics), further
 * instances after the next one, which is the document store's there.
 * @param gatewayPort 0 for any free ports
 * @throws StartError that names a port which is in use
 */
export async function placeInstances(gatewayPort: number, scale: Record<ProcessName, number>): Promise<Place[]> {
  const free = { port: gatewayPort + 8 };
  const places = processNames.flatMap((service, nth) =>
    Array.from({ length: scale[service] }, (_, index): Place => {
      const place = { service, name: scale[service] > 1 ? `${service}-${index + 1}` : service };
      const isFirst = index === 0;
      const port = isFirst ? gatewayPort + nth : free.port++;
      if (service !== 'gateway') return { ...place, port };
      return { ...place, port, metricsPort: isFirst ? gatewayPort + serviceNames.length + 1 : free.port++ };
    }),
  );
  const probes = await Promise.all(
    places.map(async place => {
      const own = await probe(place.name, gatewayPort === 0 ? 0 : place.port);
      if (place.metricsPort === undefined) return { place: { ...place, port: own.port }, close: own.close };
      const metrics = await probe(`${place.name} metrics`, gatewayPort === 0 ? 0 : place.metricsPort);
      return {
        place: { ...place, port: own.port, metricsPort: metrics.port },
        close: () => Promise.all([own.close(), metrics.close()]),
      };
    }),
  );
  await Promise.all(probes.map(one => one.close()));
  return probes.map(one => one.place);
}

/** Takes a port for a moment, to find out that it can be had; all are held together, so that no two are the same. */
async function probe(name: string, port: number): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(portError(name, port, error)));
    server.listen(port, localHost, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    close: () => new Promise(resolve => server.close(() => resolve())),
  };
}
