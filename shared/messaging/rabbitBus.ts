import type { Channel } from 'amqplib';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { Registry } from '../observability/metrics.ts';
import { createBusMetrics } from './busMetrics.ts';
import { createAttempt, createListenerAttempt } from './delivery.ts';
import { BusUnavailableError, type Consumer, defaultRetryDelaysMs, type EventBus } from './eventBus.ts';
import { encodeMessage } from './message.ts';
import { superviseConnection } from './rabbitConnection.ts';
import { createRabbitConsumer, handleDurably, type RabbitConsumer } from './rabbitConsumer.ts';
import { createRabbitDeadLetters } from './rabbitDeadLetters.ts';
import { createRabbitPublisher } from './rabbitPublisher.ts';
import { declareTopology, rabbitNames, type Topology } from './rabbitTopology.ts';
import { type DurableQueue, durableQueue, matchesKey, patternOf, queueName, requireDeclared } from './routing.ts';

export interface RabbitBusOptions {
  /** One or more `amqp://` or `amqps://` addresses of the same cluster, separated by commas. */
  url: string;
  /** Service, shown in RabbitMQ's list of connections. */
  name: string;
  clock: Clock;
  logger: Logger;
  /** Uniform in [0, 1), for jitter. */
  random: () => number;
  registry?: Registry;
  /**
   * Queues that are declared with the first connection: they take messages before their consumers have ever run, and a
   * message for their keys is refused when no queue takes it. Other queues cannot be subscribed to then.
   */
  queues?: readonly DurableQueue[];
  /** On how many nodes of a cluster each durable queue is kept when it is first declared; the broker decides without it. */
  quorumSize?: number;
  /** In front of all names on the broker. Default none. */
  prefix?: string;
  /** Milliseconds until an unconfirmed message counts as unknown. Default 5,000. */
  confirmTimeoutMs?: number;
  /** Unconfirmed messages at once. Default 100. */
  maxInFlight?: number;
  /** Default 10. */
  heartbeatSeconds?: number;
}

/**
 * The event bus on RabbitMQ 3.10 or newer. Connects in the background and for ever; until it is connected publishing is
 * refused and subscribing waits. Publishing and consuming have a connection each, since the broker stops reading from
 * publishers when it runs short of memory or disk, and acknowledgements must go on.
 * @throws TypeError when `url` holds no AMQP address
 */
export function createRabbitBus(options: RabbitBusOptions): EventBus {
  const { logger, clock, random } = options;
  const names = rabbitNames(options.prefix ?? '');
  const { quorumSize } = options;
  const topology: Topology = {
    queues: [...(options.queues ?? [])],
    retryDelaysMs: new Set(defaultRetryDelaysMs),
    quorumSize,
  };
  const heartbeatSeconds = options.heartbeatSeconds ?? 10;
  const stopping = new AbortController();
  const parts = { metrics: createBusMetrics(options.registry), clock, logger, random, signal: stopping.signal };
  const consumers = new Set<RabbitConsumer>();
  let blocked: string | undefined;

  const common = { url: options.url, heartbeatSeconds, logger, random };
  const publishing = superviseConnection({
    ...common,
    name: `${options.name} publishing`,
    prepare(model) {
      blocked = undefined;
      model.on('blocked', reason => {
        blocked = reason || 'an alarm';
        logger.warn({ reason }, 'RabbitMQ blocks publishers');
      });
      model.on('unblocked', () => {
        blocked = undefined;
      });
    },
  });
  const consuming = superviseConnection({ ...common, name: `${options.name} consuming` });
  const publisher = createRabbitPublisher({
    connection: publishing,
    names,
    topology,
    blocked: () => blocked,
    confirmTimeoutMs: options.confirmTimeoutMs ?? 5_000,
    maxInFlight: options.maxInFlight ?? 100,
    logger,
    random,
  });
  const services = () => new Set(topology.queues.map(queue => queue.service));
  const letters = createRabbitDeadLetters({
    ...{ names, quorumSize },
    connection: () => {
      const model = consuming.current();
      if (!model) throw new BusUnavailableError('no connection to RabbitMQ');
      return model;
    },
    services,
    send: publisher.send,
  });

  const isUp = () => publisher.isUp() && consuming.current() !== undefined && !stopping.signal.aborted;
  parts.metrics.watch({
    isUp,
    // Each service counts its own; who has none, as the gateway, counts all, also those of a service that is away.
    countDeadLetters: () => letters.count(services().has(options.name) ? [options.name] : services()),
  });

  /** Waits until it consumes; closing the bus stops it, also while it waits. */
  async function started(consumer: RabbitConsumer): Promise<Consumer> {
    consumers.add(consumer);
    if (stopping.signal.aborted) await consumer.stop();
    await consumer.ready();
    return {
      async stop() {
        consumers.delete(consumer);
        await consumer.stop();
      },
    };
  }

  return {
    async publish(exchange, message) {
      await publisher.send({
        exchange: names.exchange(exchange),
        key: message.type,
        body: encodeMessage(message),
        mandatory: topology.queues.some(one => one.exchange === exchange && matchesKey(one.key, message.type)),
        options: { messageId: message.id, type: message.type, contentType: 'application/cloudevents+json' },
      });
    },

    async subscribe(subscription) {
      const queue = durableQueue(subscription.service, subscription);
      requireDeclared(options.queues, queue);
      const name = queueName(queue);
      const retryDelaysMs = new Set(subscription.retryDelaysMs ?? defaultRetryDelaysMs);
      const attempt = createAttempt(name, subscription, parts);
      const settle = { queue: name, service: queue.service, names, attempt, send: publisher.send, now: clock, logger };
      return started(
        createRabbitConsumer({
          name,
          connection: consuming,
          concurrency: subscription.concurrency ?? 10,
          async declare(channel) {
            await declareTopology(channel, names, { queues: [queue], retryDelaysMs, quorumSize });
            if (!topology.queues.some(one => queueName(one) === name)) topology.queues.push(queue);
            for (const delayMs of retryDelaysMs) topology.retryDelaysMs.add(delayMs);
            return names.queue(name);
          },
          handle: (message, channel) => handleDurably(settle, message, channel),
          logger,
          random,
        }),
      );
    },

    listen(listener) {
      const pattern = patternOf(listener);
      const attempt = createListenerAttempt(listener, parts);
      return started(
        createRabbitConsumer({
          name: `listener.${pattern.key}`,
          connection: consuming,
          concurrency: 10,
          async declare(channel) {
            await declareTopology(channel, names, { queues: [], retryDelaysMs: new Set() });
            return declareListenerQueue(channel, names.exchange(pattern.exchange), pattern.key);
          },
          async handle(message, channel) {
            await attempt.hear(message.content.toString());
            channel.ack(message);
          },
          resumed: () => void attempt.missed(),
          logger,
          random,
        }),
      );
    },

    deadLetters: letters.list,
    replay: letters.replay,
    status: () => (isUp() ? 'up' : 'down'),

    async close() {
      stopping.abort();
      await Promise.all([...consumers].map(consumer => consumer.stop()));
      await consuming.stop();
      await publisher.stop();
      await publishing.stop();
    },
  };
}

/** A queue of this connection alone, gone with it. @returns the name that the broker gave it */
async function declareListenerQueue(channel: Channel, exchange: string, key: string): Promise<string> {
  const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true, durable: false });
  await channel.bindQueue(queue, exchange, key);
  return queue;
}
