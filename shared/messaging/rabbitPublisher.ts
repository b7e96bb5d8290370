import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelModel, ConfirmChannel, Options } from 'amqplib';
import type { Logger } from '../logger.ts';
import { BusUnavailableError, UnroutableMessageError } from './eventBus.ts';
import { afterCancelMs, declareTopology, type RabbitNames, type Topology } from './rabbitTopology.ts';
import { type Supervised, supervise } from './supervise.ts';
import { createWindow } from './window.ts';

export interface Outgoing {
  exchange: string;
  key: string;
  body: string;
  /** Rejects when no queue takes it. */
  mandatory: boolean;
  options: Options.Publish;
}

export interface RabbitPublisher {
  /**
   * Resolves when the broker has confirmed the message: all its queues have it on disk.
   * @throws BusUnavailableError, UnroutableMessageError as EventBus.publish
   */
  send(outgoing: Outgoing): Promise<void>;
  isUp(): boolean;
  stop(): Promise<void>;
}

export interface RabbitPublisherOptions {
  connection: Supervised<ChannelModel>;
  names: RabbitNames;
  topology: Topology;
  /** Why the broker takes no messages now, if so (https://www.rabbitmq.com/docs/connection-blocked). */
  blocked(): string | undefined;
  confirmTimeoutMs: number;
  maxInFlight: number;
  logger: Logger;
  random: () => number;
}

/**
 * Publishes on a confirm channel. Nothing is kept for later: without a channel, or while the broker blocks publishers,
 * messages are refused at once, and no more than `maxInFlight` are unconfirmed, one that timed out included until its
 * channel ends.
 */
export function createRabbitPublisher(options: RabbitPublisherOptions): RabbitPublisher {
  const { logger, confirmTimeoutMs } = options;
  const window = createWindow(options.maxInFlight);
  /** Ids of messages that came back; the confirm of each follows. */
  const returned = new Set<string>();
  let sequence = 0;

  const channel = supervise<ConfirmChannel>({
    name: 'RabbitMQ publishing channel',
    logger,
    random: options.random,
    async open(lost) {
      const model = await options.connection.ready();
      const opened = await model.createConfirmChannel();
      let reason: unknown;
      opened.on('error', error => (reason = error));
      opened.on('close', () => {
        returned.clear();
        window.resume();
        lost(reason);
      });
      opened.on('drain', () => window.resume());
      opened.on('return', message => {
        returned.add(message.properties.correlationId);
        void repair(opened);
      });
      await declareTopology(opened, options.names, options.topology);
      return opened;
    },
    close: async opened => {
      await opened.close().catch(() => {});
    },
  });

  let repairing = false;
  /** A binding or queue is gone: declares everything anew, so that a later try finds its way. */
  async function repair(opened: ConfirmChannel): Promise<void> {
    if (repairing) return;
    repairing = true;
    logger.warn('a message found no queue; the topology is declared again');
    try {
      await sleep(afterCancelMs);
      await declareTopology(opened, options.names, options.topology);
    } catch (error) {
      logger.warn({ err: error }, 'the topology could not be declared');
    } finally {
      repairing = false;
    }
  }

  function openChannel(): ConfirmChannel {
    const opened = channel.current();
    if (!opened) throw new BusUnavailableError('no connection to RabbitMQ');
    const reason = options.blocked();
    if (reason !== undefined) throw new BusUnavailableError(`RabbitMQ takes no messages now: ${reason}`);
    return opened;
  }

  return {
    async send({ exchange, key, body, mandatory, options: properties }) {
      openChannel();
      const turn = window.enter(confirmTimeoutMs);
      // Not awaited when there is room: messages go out in the order of the calls.
      if (turn !== undefined) await turn;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const timer = setTimeout(
        () => reject(new BusUnavailableError(`RabbitMQ did not confirm within ${confirmTimeoutMs} ms`)),
        confirmTimeoutMs,
      );
      sequence += 1;
      const correlationId = String(sequence);
      const confirmed = (error: unknown) => {
        clearTimeout(timer);
        window.leave();
        const wasReturned = returned.delete(correlationId);
        if (error) reject(new BusUnavailableError('RabbitMQ did not take the message', { cause: error }));
        else if (wasReturned) reject(new UnroutableMessageError(`no queue takes ${key} from ${exchange || 'default'}`));
        else resolve();
      };
      try {
        const all = { ...properties, persistent: true, mandatory, correlationId };
        const roomLeft = openChannel().publish(exchange, key, Buffer.from(body), all, confirmed);
        if (!roomLeft) window.pause();
      } catch (error) {
        confirmed(error);
      }
      return promise;
    },
    isUp: () => channel.current() !== undefined && options.blocked() === undefined,
    stop: () => channel.stop(),
  };
}
