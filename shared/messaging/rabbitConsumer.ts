import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { Logger } from '../logger.ts';
import type { Attempt, Outcome } from './delivery.ts';
import type { Consumer } from './eventBus.ts';
import { createPool } from './pool.ts';
import type { Outgoing } from './rabbitPublisher.ts';
import { afterCancelMs, type RabbitNames } from './rabbitTopology.ts';
import { supervise } from './supervise.ts';

export interface RabbitConsumerOptions {
  name: string;
  /** The consuming connection. */
  connection: { ready(): Promise<ChannelModel> };
  /** Messages handled at once; twice as many are fetched. */
  concurrency: number;
  /** Declares what is consumed. @returns the queue's name on the broker */
  declare(channel: Channel): Promise<string>;
  /** Handles a message and then acknowledges it on the channel it came by. */
  handle(message: ConsumeMessage, channel: OpenChannel): Promise<void>;
  /** Called when consuming began again after it had been interrupted. */
  resumed?(): void;
  logger: Logger;
  random: () => number;
}

/** A channel as handlers see it: gone with its unacknowledged messages as soon as `isOpen` is false. */
export interface OpenChannel {
  isOpen(): boolean;
  ack(message: ConsumeMessage): void;
}

interface Consuming {
  channel: Channel;
  tag: string;
  /** Handlers that still need the channel for their acknowledgement. */
  running: Set<Promise<void>>;
  state: { open: boolean; fetching: boolean };
}

const stopMs = 10_000;

export interface RabbitConsumer extends Consumer {
  /** Resolves when it consumes. Rejects with BusUnavailableError when it is stopped before. */
  ready(): Promise<void>;
}

/**
 * Consumes a queue on a channel of its own, again after the connection or the channel was lost or the broker ended the
 * consumer (its queue was deleted).
 */
export function createRabbitConsumer(options: RabbitConsumerOptions): RabbitConsumer {
  const pool = createPool(options.concurrency);
  let interrupted = false;

  async function open(lost: (reason?: unknown) => void): Promise<Consuming> {
    const channel = await (await options.connection.ready()).createChannel();
    const state = { open: true, fetching: true };
    const running = new Set<Promise<void>>();
    let reason: unknown;
    channel.on('error', error => {
      reason = error;
    });
    channel.on('close', () => {
      state.open = false;
      lost(reason);
    });
    const view: OpenChannel = {
      isOpen: () => state.open,
      ack: message => {
        if (state.open) channel.ack(message);
      },
    };
    const queue = await options.declare(channel);
    await channel.prefetch(options.concurrency * 2);
    const { consumerTag } = await channel.consume(queue, message => {
      if (!message) {
        void sleep(afterCancelMs).then(() => lost(new Error('the broker ended the consumer')));
        return;
      }
      void pool.run(async () => {
        // What a lost channel fetched and nobody began is delivered anew.
        if (!state.open || !state.fetching) return;
        const work = options.handle(message, view);
        running.add(work);
        await work.finally(() => running.delete(work));
      });
    });
    if (interrupted) options.resumed?.();
    interrupted = true;
    return { channel, tag: consumerTag, running, state };
  }

  const consuming = supervise<Consuming>({
    name: `RabbitMQ consumer of ${options.name}`,
    logger: options.logger,
    random: options.random,
    open,
    async close({ channel, tag, running, state }, stopping) {
      const closeChannel = async () => {
        if (state.open) await channel.close().catch(() => {});
      };
      state.fetching = false;
      if (stopping) {
        if (state.open) await channel.cancel(tag).catch(() => {});
        await pool.stop(stopMs);
        await closeChannel();
      } else {
        // Not waited for: consuming begins anew meanwhile.
        void Promise.allSettled(running).then(closeChannel);
      }
    },
  });
  return {
    ready: async () => void (await consuming.ready()),
    async stop() {
      await consuming.stop();
      await pool.stop(stopMs);
    },
  };
}

/** Headers of our own on a message: how often it failed, and as a dead letter why, where and when. */
export const header = {
  failures: 'x-failures',
  error: 'x-error',
  queue: 'x-queue',
  deadAt: 'x-dead-at',
} as const;

export interface SettleOptions {
  queue: string;
  service: string;
  names: RabbitNames;
  attempt: Attempt;
  send(outgoing: Outgoing): Promise<void>;
  now(): Date;
  logger: Logger;
}

/**
 * Handles one message of a durable queue: acknowledges it when it is done; when it failed, only after the broker has
 * confirmed its copy in the retry queue or among the dead letters.
 */
export async function handleDurably(options: SettleOptions, message: ConsumeMessage, channel: OpenChannel) {
  const body = message.content.toString();
  const outcome = await options.attempt(body, Number(message.properties.headers?.[header.failures] ?? 0));
  if (outcome.kind !== 'done') await forward(options, message, outcome, channel);
  channel.ack(message);
}

async function forward(
  options: SettleOptions,
  message: ConsumeMessage,
  outcome: Exclude<Outcome, { kind: 'done' }>,
  channel: OpenChannel,
): Promise<void> {
  const failed = Number(message.properties.headers?.[header.failures] ?? 0) + 1;
  const common = { messageId: message.properties.messageId, type: message.properties.type };
  const outgoing: Outgoing = {
    body: message.content.toString(),
    mandatory: true,
    ...(outcome.kind === 'retry'
      ? {
          exchange: options.names.retry(outcome.delayMs),
          key: options.names.queue(options.queue),
          options: { ...common, headers: { [header.failures]: failed } },
        }
      : {
          exchange: '',
          key: options.names.dead(options.service),
          options: {
            ...common,
            headers: {
              [header.failures]: failed,
              [header.error]: outcome.error,
              [header.queue]: options.queue,
              [header.deadAt]: options.now().toISOString(),
            },
          },
        }),
  };
  // Held until it can be put away: once the channel is gone the broker delivers it anew.
  while (channel.isOpen()) {
    try {
      return await options.send(outgoing);
    } catch (error) {
      options.logger.warn({ err: error, queue: options.queue }, 'a failed message could not be put away yet');
      await sleep(500);
    }
  }
}
