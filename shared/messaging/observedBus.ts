import { currentContext } from '../context.ts';
import type { Logger } from '../logger.ts';
import type { Tracer } from '../observability/span.ts';
import { beginTrace, runTraced } from '../observability/tracing.ts';
import type { EventBus, Listener, Subscription } from './eventBus.ts';
import { type Message, orderOf } from './message.ts';
import { durableQueue, patternOf, queueName } from './routing.ts';

/**
 * The bus as one service sees it: each message that it publishes or has handled is a line of its log and, where there is
 * a tracer, a span. A publication continues the trace of the change that the message tells of, and its consumers
 * continue the publication.
 */
export function observeBus(bus: EventBus, logger: Logger, tracer: Tracer | undefined): EventBus {
  const isQuiet = () => tracer === undefined && !logger.isLevelEnabled('info');

  async function handled(queue: string, message: Message, handle: () => Promise<void>): Promise<void> {
    const began = performance.now();
    const context = currentContext();
    const traced =
      tracer && context
        ? beginTrace(tracer, `consume ${queue}`, {
            kind: 'consumer',
            parent: message.traceparent,
            attributes: { ...describe('process', message), 'messaging.destination.name': queue },
          })
        : {};
    if (context) await runTraced({ ...context, ...traced }, handle);
    else await handle();
    const durationMs = Math.round(performance.now() - began);
    logger.info({ queue, type: message.type, messageId: message.id, durationMs }, 'message handled');
  }

  return {
    // Not async before the bus is called: it keeps the order of the calls.
    publish(exchange, message) {
      if (isQuiet()) return bus.publish(exchange, message);
      const orderId = orderOf(message);
      const context = {
        ...(currentContext() ?? { requestId: message.id }),
        ...(orderId ? { orderId } : {}),
        ...beginTrace(tracer, `publish ${message.type}`, {
          kind: 'producer',
          parent: message.traceparent,
          attributes: { ...describe('publish', message), 'messaging.destination.name': exchange },
        }),
      };
      const carried = context.span ? { ...message, traceparent: context.traceparent } : message;
      return runTraced(context, async () => {
        await bus.publish(exchange, carried);
        logger.info({ exchange, type: message.type, messageId: message.id }, 'message published');
      });
    },

    subscribe<Data>(subscription: Subscription<Data>) {
      const queue = queueName(durableQueue(subscription.service, subscription));
      return bus.subscribe(observed(queue, subscription));
    },

    listen<Data>(listener: Listener<Data>) {
      return bus.listen(observed(`listener.${patternOf(listener).key}`, listener));
    },

    deadLetters: query => bus.deadLetters(query),
    replay: deadLetterId => bus.replay(deadLetterId),
    status: () => bus.status(),
    close: () => bus.close(),
  };

  function observed<Interest extends { handle(message: never): Promise<void> }>(
    queue: string,
    interest: Interest,
  ): Interest {
    const handle = (message: Message) =>
      isQuiet() ? interest.handle(message as never) : handled(queue, message, () => interest.handle(message as never));
    return { ...interest, handle };
  }
}

const describe = (operation: string, { type, id }: Message) => ({
  'messaging.system': 'rabbitmq',
  'messaging.operation.type': operation === 'publish' ? 'send' : operation,
  'messaging.operation.name': operation,
  'messaging.rabbitmq.destination.routing_key': type,
  'messaging.message.id': id,
});
