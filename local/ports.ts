import type { RequestListener } from 'node:http';
import { type ServiceName, serviceNames } from '@tradepost/shared/discovery';
import { AppError } from '@tradepost/shared/errors';
import { type ListenOptions, listen } from '@tradepost/shared/http/listener';
import { newIdentity, sendProblem } from '@tradepost/shared/http/problem';
import { StartError } from '@tradepost/shared/lifecycle';
import { listenLimits } from '../gateway/src/app.ts';
import type { Teardown } from './teardown.ts';

/** A port that is taken before what will answer on it exists; until then it answers 503. */
export interface OpenPort {
  port: number;
  /** For people. */
  url: string;
  /** For the services: it needs no lookup of a name. */
  address: string;
  serve(listener: RequestListener): void;
  /** Ends after what is running has been answered, at the latest after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

type PortLimits = Partial<Omit<ListenOptions, 'port' | 'host'>>;

/** Only this machine can connect. */
export const localHost = '127.0.0.1';

/**
 * Takes a port on localhost.
 * @param port 0 for any free one
 * @throws StartError that names the port and whose it would be
 */
export async function openPort(name: string, port: number, limits: PortLimits = {}): Promise<OpenPort> {
  let serving: RequestListener = (request, response) => {
    const identity = newIdentity();
    response.setHeader('X-Request-Id', identity.requestId);
    response.setHeader('X-Trace-Id', identity.traceId);
    const path = request.url?.split('?', 1)[0] ?? '/';
    sendProblem(response, new AppError('service_unavailable', { retryAfter: 1 }), path, identity);
  };
  const listener = await listen((request, response) => serving(request, response), {
    port,
    host: localHost,
    ...limits,
  }).catch((error: NodeJS.ErrnoException) => {
    throw portError(name, port, error);
  });
  return {
    port: listener.port,
    url: `http://localhost:${listener.port}`,
    address: `http://${localHost}:${listener.port}`,
    serve(next) {
      serving = next;
    },
    close: listener.close,
  };
}

/** The shop's ports: the gateway's, the next five for the services, then the gateway's metrics and the store. */
export interface ShopPorts {
  gateway: OpenPort;
  services: Record<ServiceName, OpenPort>;
  gatewayMetrics: OpenPort;
  /** A number only: the store opens its own. */
  store: number;
}

/** Takes all ports before anything else begins, so that one in use is found at once. 0: any free ports. */
export async function openPorts(gatewayPort: number, teardown: Teardown): Promise<ShopPorts> {
  const nth = (offset: number) => (gatewayPort === 0 ? 0 : gatewayPort + offset);
  const open = async (name: string, port: number, limits?: PortLimits) => {
    const opened = await openPort(name, port, limits);
    teardown.add(`port of ${name}`, 1_000, () => opened.close(0));
    return opened;
  };
  const gateway = await open('gateway', nth(0), listenLimits);
  const opened: [ServiceName, OpenPort][] = [];
  // Imports may take any time to arrive; that nothing stands still is the routes' own care.
  for (const [index, name] of serviceNames.entries()) {
    opened.push([name, await open(name, nth(index + 1), { requestTimeoutMs: 0 })]);
  }
  const services = Object.fromEntries(opened) as ShopPorts['services'];
  return {
    gateway,
    services,
    gatewayMetrics: await open('gateway metrics', nth(6)),
    store: nth(7),
  };
}

/** A port that cannot be had, as a line for the person who started the shop. Other errors stay what they are. */
export function portError(name: string, port: number, error: NodeJS.ErrnoException): Error {
  if (error.code === 'EADDRINUSE') {
    return new StartError(`Port ${port} (${name}) is in use: stop what runs there or set GATEWAY_PORT`);
  }
  if (error.code === 'EACCES') return new StartError(`Port ${port} (${name}) may not be used: set GATEWAY_PORT`);
  return error;
}
