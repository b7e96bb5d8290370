import type { Channel } from 'amqplib';
import type { Exchange } from './message.ts';
import { type DurableQueue, queueName } from './routing.ts';

/** Everything that this bus needs on the broker. */
export interface Topology {
  queues: DurableQueue[];
  retryDelaysMs: Set<number>;
  /** On how many nodes of the broker each queue is kept, when it is first declared; the broker decides without it. */
  quorumSize?: number | undefined;
}

/** A queue is on the broker already, declared otherwise. */
export class QueueMismatchError extends Error {
  override name = 'QueueMismatchError';
}

/** Names on the broker, under a prefix that keeps several buses on one broker apart. */
export function rabbitNames(prefix: string) {
  return {
    exchange: (exchange: string) => `${prefix}${exchange}`,
    queue: (name: string) => `${prefix}${name}`,
    /** Dead letters of a service. */
    dead: (service: string) => `${prefix}${service}.dead`,
    /** Exchange and queue in which messages wait out one delay. */
    retry: (delayMs: number) => `${prefix}retry.${delayMs}`,
    /** A queue's name without the prefix. */
    bare: (name: string) => (name.startsWith(prefix) ? name.slice(prefix.length) : name),
  };
}

export type RabbitNames = ReturnType<typeof rabbitNames>;

/**
 * Pause before a deleted queue is made again. RabbitMQ 3.10 goes wrong on consumers that it has not told yet when the
 * queue is back: it checks messages out to them and delivers none.
 */
export const afterCancelMs = 1_000;

const exchanges: readonly Exchange[] = ['users', 'products', 'inventory', 'orders', 'payments'];

// RabbitMQ 4 drops a message after 20 returns unless told otherwise, and each look at the dead letters returns them all.
const noDeliveryLimit = 1_000_000_000;

/** Dead-lettering by the broker itself that waits for the target's confirm (https://www.rabbitmq.com/docs/quorum-queues#dead-lettering). */
const safeDeadLettering = { 'x-dead-letter-strategy': 'at-least-once', 'x-overflow': 'reject-publish' };

/**
 * Declares a queue that is kept on several nodes. What is there already with the same arguments stays.
 * @throws QueueMismatchError when it is there with others: they cannot be changed
 */
async function assertQuorumQueue(
  channel: Channel,
  name: string,
  quorumSize: number | undefined,
  args: Record<string, unknown>,
) {
  const size = quorumSize ? { 'x-quorum-initial-group-size': quorumSize } : {};
  try {
    return await channel.assertQueue(name, {
      durable: true,
      arguments: { 'x-queue-type': 'quorum', ...size, ...args },
    });
  } catch (error) {
    if ((error as { code?: unknown }).code !== preconditionFailed) throw error;
    const [, difference = 'other arguments'] = /PRECONDITION_FAILED - (.*?)"?$/s.exec((error as Error).message) ?? [];
    throw new QueueMismatchError(
      `the queue ${name} is on the broker and was declared otherwise: ${difference}. Delete it once it is empty, or set ` +
        'RABBITMQ_QUORUM_SIZE to what it was declared with',
      { cause: error },
    );
  }
}

/** AMQP's reply code to a declaration that does not fit what is there. */
const preconditionFailed = 406;

/**
 * Declares all of it; what is there already with the same arguments stays.
 * @throws QueueMismatchError
 */
export async function declareTopology(channel: Channel, names: RabbitNames, topology: Topology): Promise<void> {
  const { quorumSize } = topology;
  for (const exchange of exchanges) await channel.assertExchange(names.exchange(exchange), 'topic', { durable: true });
  for (const service of new Set(topology.queues.map(queue => queue.service))) {
    await declareDeadQueue(channel, names, service, quorumSize);
  }
  for (const queue of topology.queues) await declareQueue(channel, names, queue, quorumSize);
  for (const delayMs of topology.retryDelaysMs) await declareRetry(channel, names, delayMs, quorumSize);
}

/**
 * The queue of a service's dead letters. One consumer at a time, so that of two operators who look at once the second
 * one waits and sees everything. @returns how many letters wait and how many look at them
 */
export function declareDeadQueue(channel: Channel, names: RabbitNames, service: string, quorumSize?: number) {
  return assertQuorumQueue(channel, names.dead(service), quorumSize, {
    'x-delivery-limit': noDeliveryLimit,
    'x-single-active-consumer': true,
  });
}

/** A work queue: bounded, with the broker's own limit on deliveries behind ours. */
async function declareQueue(
  channel: Channel,
  names: RabbitNames,
  queue: DurableQueue,
  quorumSize: number | undefined,
): Promise<void> {
  const name = names.queue(queueName(queue));
  await assertQuorumQueue(channel, name, quorumSize, {
    ...safeDeadLettering,
    'x-delivery-limit': 20,
    'x-max-length': 100_000,
    'x-dead-letter-exchange': '',
    'x-dead-letter-routing-key': names.dead(queue.service),
  });
  await channel.bindQueue(name, names.exchange(queue.exchange), queue.key);
}

/**
 * One delay: a fanout exchange before a queue whose messages expire. The routing key that they came with, the name of
 * their work queue, takes them back there through the default exchange.
 */
async function declareRetry(
  channel: Channel,
  names: RabbitNames,
  delayMs: number,
  quorumSize: number | undefined,
): Promise<void> {
  const name = names.retry(delayMs);
  await channel.assertExchange(name, 'fanout', { durable: true });
  await assertQuorumQueue(channel, name, quorumSize, {
    ...safeDeadLettering,
    'x-delivery-limit': noDeliveryLimit,
    'x-message-ttl': delayMs,
    'x-dead-letter-exchange': '',
  });
  await channel.bindQueue(name, name, '');
}
