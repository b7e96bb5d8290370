import type { Exchange, MessageDefinition } from './message.ts';

/**
 * An exchange and a topic key as AMQP 0-9-1 knows it: words between dots, `*` for exactly one word, `#` for any number
 * of words, none too.
 */
export interface MessagePattern {
  exchange: Exchange;
  key: string;
}

/** A queue that all instances of a service share, bound to one key or pattern. */
export interface DurableQueue {
  service: string;
  exchange: Exchange;
  key: string;
}

/** Name of a durable queue: `<service>.<key>`. */
export function queueName(queue: Pick<DurableQueue, 'service' | 'key'>): string {
  return `${queue.service}.${queue.key}`;
}

/** What an interest is bound to: its pattern, or exchange and type of its kind of message. */
export function patternOf(interest: {
  message?: Pick<MessageDefinition<unknown>, 'exchange' | 'type'> | undefined;
  pattern?: MessagePattern | undefined;
}): MessagePattern {
  if (interest.pattern) return interest.pattern;
  if (interest.message) return { exchange: interest.message.exchange, key: interest.message.type };
  throw new TypeError('neither a message nor a pattern to listen for');
}

/** The durable queue of a service for one kind of message or pattern. */
export function durableQueue(
  service: string,
  interest: {
    message?: Pick<MessageDefinition<unknown>, 'exchange' | 'type'> | undefined;
    pattern?: MessagePattern | undefined;
  },
): DurableQueue {
  return { service, ...patternOf(interest) };
}

/**
 * Checks a subscription's queue against the table that a bus was given, if any.
 * @throws TypeError when it is missing there: messages would be lost until its consumer has run for the first time
 */
export function requireDeclared(table: readonly DurableQueue[] | undefined, queue: DurableQueue): void {
  if (table && !table.some(one => queueName(one) === queueName(queue) && one.exchange === queue.exchange)) {
    throw new TypeError(`${queueName(queue)} is not in the table of durable queues`);
  }
}

/** Whether a routing key fits a topic pattern. */
export function matchesKey(pattern: string, key: string): boolean {
  if (pattern === key || pattern === '#') return true;
  if (!pattern.includes('*') && !pattern.includes('#')) return false;
  return matchesWords(pattern.split('.'), key.split('.'));
}

function matchesWords(pattern: string[], words: string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return words.length === 0;
  if (first === '#') return matchesWords(rest, words) || (words.length > 0 && matchesWords(pattern, words.slice(1)));
  return words.length > 0 && (first === '*' || first === words[0]) && matchesWords(rest, words.slice(1));
}

const exchanges: Record<string, Exchange> = {
  user: 'users',
  product: 'products',
  inventory: 'inventory',
  order: 'orders',
  payment: 'payments',
};

/** The exchange of a type of message, which its first word tells. @throws TypeError for an unknown one */
export function exchangeOf(type: string): Exchange {
  const exchange = exchanges[type.split('.', 1)[0] ?? ''];
  if (!exchange) throw new TypeError(`no exchange for messages of type ${type}`);
  return exchange;
}
