import { randomBytes } from 'node:crypto';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import { systemClock } from '../clock.ts';
import { silentLogger } from '../logger.ts';
import { defaultRetryDelaysMs, type EventBus } from '../messaging/eventBus.ts';
import { createRabbitBus, type RabbitBusOptions } from '../messaging/rabbitBus.ts';
import { rabbitNames } from '../messaging/rabbitTopology.ts';
import { type DurableQueue, durableQueue, queueName } from '../messaging/routing.ts';
import { eventually } from './busSuiteTools.ts';

/** A corner of a real RabbitMQ for one test file: names under a prefix of its own, deleted at the end. */
export async function useRabbit(url: string) {
  const prefix = `test-${randomBytes(4).toString('hex')}.`;
  const names = rabbitNames(prefix);
  const model: ChannelModel = await connect(url);
  const [queues, delays] = [new Set<string>(), new Set<number>(defaultRetryDelaysMs)];
  const buses: EventBus[] = [];

  function remember(queue: DurableQueue): void {
    queues.add(names.queue(queueName(queue)));
    queues.add(names.dead(queue.service));
  }

  const retries = () => [...delays].map(names.retry);
  return {
    prefix,
    names,
    /** Every queue that its buses have declared and that outlives them. */
    queues: () => [...queues, ...retries()],
    /** A channel past the bus; an error on it is the test's own. */
    admin: (): Promise<Channel> => model.createChannel(),
    /** A bus that is connected. */
    async create(options: Partial<RabbitBusOptions> = {}): Promise<EventBus> {
      const parts = { name: 'test', clock: systemClock, logger: silentLogger(), random: Math.random };
      const bus = createRabbitBus({ url, prefix, ...parts, ...options });
      buses.push(bus);
      options.queues?.forEach(remember);
      await eventually(() => bus.status() === 'up');
      return {
        ...bus,
        subscribe(subscription) {
          remember(durableQueue(subscription.service, subscription));
          for (const delayMs of subscription.retryDelaysMs ?? []) delays.add(delayMs);
          return bus.subscribe(subscription);
        },
      };
    },
    async close(): Promise<void> {
      await Promise.all(buses.map(bus => bus.close()));
      const channel = await model.createChannel();
      for (const queue of [...queues, ...retries()]) await channel.deleteQueue(queue);
      for (const exchange of retries()) await channel.deleteExchange(exchange);
      for (const exchange of ['users', 'products', 'inventory', 'orders', 'payments']) {
        await channel.deleteExchange(names.exchange(exchange));
      }
      await model.close();
    },
  };
}
