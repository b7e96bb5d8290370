import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { deadLetterId } from './deadLetterId.ts';
import type { DeadLetter } from './eventBus.ts';
import { decodeBody } from './message.ts';
import { header } from './rabbitConsumer.ts';
import type { Outgoing } from './rabbitPublisher.ts';
import { declareDeadQueue, type RabbitNames } from './rabbitTopology.ts';

const [mostLetters, waitMs, silenceMs] = [1_000, 5_000, 500];

export interface RabbitDeadLetterOptions {
  names: RabbitNames;
  /** As in Topology. */
  quorumSize?: number | undefined;
  /** The connection to look by. @throws BusUnavailableError when there is none */
  connection(): ChannelModel;
  services(): Iterable<string>;
  send(outgoing: Outgoing): Promise<void>;
}

interface Found {
  letter: DeadLetter;
  received: ConsumeMessage;
}

/**
 * Looks at dead letters and puts them back. They stay where RabbitMQ keeps them safest, in one quorum queue per service,
 * which every service can look at and to which the broker itself can add. A look takes up to 1,000 letters of a queue,
 * unacknowledged, on a channel of its own; closing that channel returns them all, also when the process dies. So nothing
 * is ever outside the broker, and a replay acknowledges the one letter only after the broker has confirmed its copy in
 * the work queue. Of more than 1,000 letters the oldest 1,000 are seen.
 */
export function createRabbitDeadLetters({ names, quorumSize, connection, services, send }: RabbitDeadLetterOptions) {
  const declare = (channel: Channel, service: string) => declareDeadQueue(channel, names, service, quorumSize);
  let turn: Promise<unknown> = Promise.resolve();
  /** One look at a time here; between processes the queue's single active consumer does the same. */
  function inTurn<Result>(look: () => Promise<Result>): Promise<Result> {
    const result = turn.then(look);
    turn = result.catch(() => {});
    return result;
  }

  async function browse<Result>(service: string, use: (found: Found[], channel: Channel) => Promise<Result>) {
    const channel = await connection().createChannel();
    channel.on('error', () => {});
    try {
      const received = await fetchAll(channel, service);
      return await use(
        received.map(message => ({ letter: toLetter(message, service), received: message })),
        channel,
      );
    } finally {
      await channel.close().catch(() => {});
    }
  }

  async function fetchAll(channel: Channel, service: string): Promise<ConsumeMessage[]> {
    let { messageCount, consumerCount } = await declare(channel, service);
    for (const end = performance.now() + waitMs; consumerCount > 0 && performance.now() < end; ) {
      await sleep(50);
      ({ messageCount, consumerCount } = await declare(channel, service));
    }
    const wanted = Math.min(messageCount, mostLetters);
    const received: ConsumeMessage[] = [];
    if (wanted === 0) return received;
    await channel.prefetch(wanted);
    const { promise, resolve } = Promise.withResolvers<void>();
    const silence = setTimeout(resolve, waitMs);
    await channel.consume(names.dead(service), message => {
      if (message) received.push(message);
      if (!message || received.length >= wanted) return resolve();
      // Somebody else may have taken a letter away meanwhile.
      setTimeout(count => count === received.length && resolve(), silenceMs, received.length);
    });
    await promise;
    clearTimeout(silence);
    return received;
  }

  function toLetter(message: ConsumeMessage, service: string): DeadLetter {
    const body = message.content.toString();
    const headers = message.properties.headers ?? {};
    // Without our headers the broker itself gave up: too many deliveries without an answer.
    const death = headers['x-death']?.[0];
    const queue: string = headers[header.queue] ?? names.bare(death?.queue ?? names.dead(service));
    const deadAt = new Date(headers[header.deadAt] ?? deathTime(death?.time));
    return {
      id: deadLetterId(deadAt, queue, body),
      queue,
      message: decodeBody(body),
      error: headers[header.error] ?? `given up by RabbitMQ: ${death?.reason ?? 'unknown reason'}`,
      attempts: Number(headers[header.failures] ?? 0),
      deadAt: deadAt.toISOString(),
    };
  }

  return {
    /** How many wait for each of these services; those that somebody is just looking at are not among them. */
    async count(ofServices: Iterable<string>): Promise<Map<string, number>> {
      const channel = await connection().createChannel();
      channel.on('error', () => {});
      try {
        const counts = new Map<string, number>();
        for (const service of ofServices) {
          counts.set(service, (await declare(channel, service)).messageCount);
        }
        return counts;
      } finally {
        await channel.close().catch(() => {});
      }
    },

    /** As EventBus.deadLetters. */
    list: (query: { queue?: string; limit: number; after?: string }): Promise<DeadLetter[]> =>
      inTurn(async () => {
        const letters: DeadLetter[] = [];
        for (const service of services()) {
          if (query.queue !== undefined && !query.queue.startsWith(`${service}.`)) continue;
          letters.push(...(await browse(service, async found => found.map(one => one.letter))));
        }
        return letters
          .filter(letter => query.queue === undefined || letter.queue === query.queue)
          .filter(letter => query.after === undefined || letter.id < query.after)
          .sort((a, b) => (a.id < b.id ? 1 : -1))
          .slice(0, query.limit);
      }),

    /** As EventBus.replay. */
    replay: (id: string): Promise<boolean> =>
      inTurn(async () => {
        for (const service of services()) {
          const replayed = await browse(service, async (found, channel) => {
            const one = found.find(({ letter }) => letter.id === id);
            if (!one) return false;
            const { messageId, type } = one.received.properties;
            const body = one.received.content.toString();
            const key = names.queue(one.letter.queue);
            await send({ exchange: '', key, body, mandatory: true, options: { messageId, type } });
            channel.ack(one.received);
            return true;
          });
          if (replayed) return true;
        }
        return false;
      }),
  };
}

/** AMQP's timestamp as amqplib decodes it, seconds since the epoch. */
function deathTime(time: unknown): number {
  const seconds = (time as { value?: unknown } | undefined)?.value;
  return typeof seconds === 'number' ? seconds * 1_000 : 0;
}
