import { type ChannelModel, connect } from 'amqplib';
import { withinMs } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import { type Supervised, supervise } from './supervise.ts';

export interface RabbitConnectionOptions {
  /** One or more `amqp://` or `amqps://` addresses of the same cluster, separated by commas; tried in turn, from any on. */
  url: string;
  /** Shown in RabbitMQ's list of connections. */
  name: string;
  /** Advised are 5 to 20 (https://www.rabbitmq.com/docs/heartbeats); a dead peer is noticed after two to three of them. */
  heartbeatSeconds: number;
  logger: Logger;
  random: () => number;
  /** Called with every new connection before anybody else gets it. */
  prepare?(model: ChannelModel): void;
}

const connectTimeoutMs = 5_000;

/** The addresses of a comma-separated list. @throws TypeError when one is no AMQP address */
export function parseAddresses(url: string): URL[] {
  return url.split(',').map(part => {
    const address = URL.parse(part.trim());
    if (!address || !/^amqps?:$/.test(address.protocol)) {
      throw new TypeError('the address of the broker must start with amqp:// or amqps://');
    }
    return address;
  });
}

/** A connection that is opened again, at the next address, whenever it is lost. */
export function superviseConnection(options: RabbitConnectionOptions): Supervised<ChannelModel> {
  const addresses = parseAddresses(options.url);
  for (const address of addresses) {
    if (!address.searchParams.has('heartbeat')) {
      address.searchParams.set('heartbeat', String(options.heartbeatSeconds));
    }
  }
  // Not all processes at the same node.
  let next = Math.floor(options.random() * addresses.length);
  return supervise<ChannelModel>({
    name: `RabbitMQ connection "${options.name}"`,
    logger: options.logger,
    random: options.random,
    async open(lost) {
      const model = await connectToOneOf(
        addresses.map((_, index) => addresses[(next + index) % addresses.length] as URL),
        options.name,
      );
      next = (next + 1) % addresses.length;
      // An error without listener would end the process; `close` follows it and says the same.
      model.on('error', () => {});
      model.on('close', lost);
      options.prepare?.(model);
      return model;
    },
    async close(model) {
      await withinMs(2_000, model.close()).catch(() => {});
      // amqplib only half-closes: towards a broker that hangs the socket would keep the process alive.
      (model.connection as unknown as { stream?: { destroy(): void } }).stream?.destroy();
    },
  });
}

/** Connects and leaves again. Rejects when no address takes the connection within `timeoutMs`. */
export async function tryRabbit(url: string, timeoutMs: number): Promise<void> {
  const model = await connectToOneOf(parseAddresses(url), 'a look whether it is there', timeoutMs);
  await model.close();
}

async function connectToOneOf(addresses: URL[], name: string, timeout = connectTimeoutMs): Promise<ChannelModel> {
  const failures: unknown[] = [];
  for (const address of addresses) {
    try {
      return await connect(address.href, {
        noDelay: true,
        keepAlive: true,
        timeout,
        clientProperties: { connection_name: name },
      });
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures.length === 1 ? failures[0] : new AggregateError(failures, 'no address of the broker could be reached');
}
