import { z } from 'zod';

/** The five topic exchanges, one per producing service. */
export type Exchange = 'users' | 'products' | 'inventory' | 'orders' | 'payments';

/**
 * A message as it travels: a CloudEvents 1.0 envelope in JSON (https://github.com/cloudevents/spec) with two extension
 * attributes, `schemaversion` (of `data`) and the W3C `traceparent` of the change that caused it.
 */
export interface Message<Data = unknown> {
  specversion: '1.0';
  /** Unique per message (UUID version 7); repeated when the same message is sent again. Consumers deduplicate by it. */
  id: string;
  /** Producing service, as `/order-service`. */
  source: string;
  /** Routing key, as `order.confirmed`. */
  type: string;
  /** Id of the thing that the message is about. Messages of one subject are published in order. */
  subject: string;
  /** When it happened, RFC 3339 in UTC with milliseconds. */
  time: string;
  datacontenttype: 'application/json';
  schemaversion: number;
  traceparent?: string;
  data: Data;
}

/** The contract of one kind of message: where it goes and what its `data` looks like. Checked by producer and consumer. */
export interface MessageDefinition<Data> {
  exchange: Exchange;
  /** Routing key and CloudEvents `type`. */
  type: string;
  version: number;
  summary: string;
  data: z.ZodType<Data>;
}

/** Declares a kind of message; its data schema is loose towards unknown fields so that producers may add some. */
export function defineMessage<Shape extends z.ZodRawShape>(definition: {
  exchange: Exchange;
  type: string;
  version: number;
  summary: string;
  data: Shape;
}): MessageDefinition<z.infer<z.ZodObject<Shape>>> {
  return { ...definition, data: z.object(definition.data) as never };
}

export interface NewMessage<Data> {
  id: string;
  source: string;
  subject: string;
  at: Date;
  traceparent?: string | undefined;
  data: Data;
}

/**
 * Builds the envelope of a message.
 * @throws ZodError when `data` does not fit the definition: a producer's bug, found before anything is stored.
 */
export function createMessage<Data>(definition: MessageDefinition<Data>, input: NewMessage<Data>): Message<Data> {
  return {
    specversion: '1.0',
    id: input.id,
    source: `/${input.source}`,
    type: definition.type,
    subject: input.subject,
    time: input.at.toISOString(),
    datacontenttype: 'application/json',
    schemaversion: definition.version,
    ...(input.traceparent ? { traceparent: input.traceparent } : {}),
    data: definition.data.parse(input.data),
  };
}

const envelope = z.object({
  specversion: z.literal('1.0'),
  id: z.string().min(1).max(128),
  source: z.string().min(1),
  type: z.string().min(1),
  subject: z.string().min(1),
  time: z.iso.datetime(),
  datacontenttype: z.literal('application/json'),
  schemaversion: z.int().positive(),
  traceparent: z.string().optional(),
  data: z.unknown(),
});

/** A message that does not fit its contract: it can never be handled, so it goes to the dead letters at once. */
export class InvalidMessageError extends Error {
  override name = 'InvalidMessageError';
}

/**
 * Checks the envelope of a received message, whatever its kind.
 * @throws InvalidMessageError when it does not fit.
 */
export function parseEnvelope(received: unknown): Message {
  const result = envelope.safeParse(received);
  if (!result.success) throw new InvalidMessageError(`envelope: ${z.prettifyError(result.error)}`);
  return result.data as Message;
}

/**
 * Checks a received message against the contract.
 * @throws InvalidMessageError when envelope, type, schema version or data do not fit.
 */
export function parseMessage<Data>(definition: MessageDefinition<Data>, received: unknown): Message<Data> {
  const message = parseEnvelope(received);
  if (message.type !== definition.type) throw new InvalidMessageError(`type ${message.type} is not ${definition.type}`);
  if (message.schemaversion !== definition.version) {
    throw new InvalidMessageError(`schema version ${message.schemaversion} of ${message.type} is not known`);
  }
  const data = definition.data.safeParse(message.data);
  if (!data.success) throw new InvalidMessageError(`data of ${message.type}: ${z.prettifyError(data.error)}`);
  return { ...message, data: data.data };
}

/** The order that a message is about, if its data name one. */
export function orderOf(message: Message): string | undefined {
  const { orderId } = (message.data ?? {}) as { orderId?: unknown };
  return typeof orderId === 'string' ? orderId : undefined;
}

/** Largest message in bytes of JSON; RabbitMQ closes the channel on one above its own limit. */
export const maxMessageBytes = 512 * 1024;

/**
 * The message as it travels.
 * @throws InvalidMessageError when it is larger than `maxMessageBytes`.
 */
export function encodeMessage(message: Message): string {
  const body = JSON.stringify(message);
  const bytes = Buffer.byteLength(body);
  if (bytes > maxMessageBytes) throw new InvalidMessageError(`${message.type} ${message.id} has ${bytes} bytes`);
  return body;
}

/** What was received, parsed; the text itself when it is no JSON. */
export function decodeBody(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
