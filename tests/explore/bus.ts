import type { Consumer, EventBus, Subscription } from '@tradepost/shared/messaging/eventBus';
import { type Message, type MessageDefinition, parseMessage } from '@tradepost/shared/messaging/message';
import { as, type Scheduler } from './scheduler.ts';

export interface SimulatedBus {
  /** The bus as an instance sees it. */
  of(instance: string): EventBus;
  /** Takes the subscriptions of an instance away; its messages wait for another one. */
  disconnect(instance: string): void;
  /** Messages that were published, for repeating one. */
  history: { queue: string; message: Message }[];
  /** Ids of all messages that the bus has taken. */
  published: Set<string>;
  /** Puts a message into its queue once more. */
  repeat(index: number): void;
  /** Messages that were not handled yet. */
  pending(): number;
}

interface Consuming {
  instance: string;
  handle(message: Message): Promise<void>;
}

/**
 * Queues whose every delivery waits for the scheduler, so that messages come in any order and at any time; a handler that
 * fails gets its message again. Durable queues outlive their consumers.
 */
export function simulateBus(scheduler: Scheduler): SimulatedBus {
  const consumers = new Map<string, Consuming[]>();
  const keys = new Map<string, Set<string>>();
  const waiting = new Map<string, Message[]>();
  const history: SimulatedBus['history'] = [];
  const published = new Set<string>();
  let handling = 0;

  const deliver = (queue: string, message: Message): void => {
    const all = consumers.get(queue) ?? [];
    const consumer = all.find(one => !scheduler.isFrozen(one.instance)) ?? all[0];
    if (!consumer) {
      waiting.set(queue, [...(waiting.get(queue) ?? []), message]);
      return;
    }
    handling += 1;
    let gone = false;
    const again = (): void => {
      if (gone) return;
      gone = true;
      handling -= 1;
      deliver(queue, message);
    };
    lost.set(consumer.instance, [...(lost.get(consumer.instance) ?? []), again]);
    scheduler.offer({
      label: `hears ${message.type} ${message.subject.slice(-4)}`,
      owner: consumer.instance,
      run() {
        as(scheduler, consumer.instance, () => consumer.handle(message)).then(
          () => {
            if (gone) return;
            gone = true;
            handling -= 1;
            scheduler.touch();
          },
          () => again(),
        );
      },
    });
  };
  /** What an instance had not acknowledged when it went. */
  const lost = new Map<string, (() => void)[]>();
  const arrive = (queue: string, message: Message): void => {
    history.push({ queue, message });
    deliver(queue, message);
  };
  return {
    history,
    published,
    repeat: index => deliver(history[index]!.queue, history[index]!.message),
    pending: () => handling + [...waiting.values()].reduce((sum, messages) => sum + messages.length, 0),
    disconnect(instance) {
      for (const [queue, all] of consumers)
        consumers.set(
          queue,
          all.filter(one => one.instance !== instance),
        );
      const unacknowledged = lost.get(instance) ?? [];
      lost.delete(instance);
      for (const again of unacknowledged) again();
    },
    of: instance => ({
      async publish(_exchange, message) {
        await scheduler.wait(`publishes ${message.type} ${message.subject.slice(-4)}`, instance);
        published.add(message.id);
        for (const queue of keys.get(message.type) ?? []) arrive(queue, structuredClone(message));
        await scheduler.wait(`is told that ${message.type} is published`, instance);
      },
      async subscribe<Data>(subscription: Subscription<Data>): Promise<Consumer> {
        const definition = (subscription as { message?: MessageDefinition<Data> }).message;
        if (!definition) throw new Error('exact keys only');
        const queue = `${subscription.service}.${definition.type}`;
        keys.set(definition.type, (keys.get(definition.type) ?? new Set()).add(queue));
        const handle = (message: Message) => subscription.handle(parseMessage(definition, message));
        consumers.set(queue, [...(consumers.get(queue) ?? []), { instance, handle }]);
        for (const message of waiting.get(queue)?.splice(0) ?? []) deliver(queue, message);
        return { stop: async () => {} };
      },
      listen: async () => ({ stop: async () => {} }),
      deadLetters: async () => [],
      replay: async () => false,
      status: () => 'up',
      close: async () => {},
    }),
  };
}
