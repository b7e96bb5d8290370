import { z } from 'zod';
import {
  type Data,
  downgrade,
  type OlderShape,
  shapesOf,
  upgrade,
  type Versioned,
  writtenVersion,
} from '../schemaVersions.ts';

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

/**
 * The contract of one kind of message: where it goes and what its `data` looks like. Checked by producer and consumer.
 * Consumers read every version that it lists and ignore unknown fields; producers write the one that all can read.
 */
export interface MessageDefinition<Content> extends Versioned {
  exchange: Exchange;
  /** Routing key and CloudEvents `type`. */
  type: string;
  summary: string;
  data: z.ZodType<Content>;
}

/** Declares a kind of message. Its schemas ignore unknown fields, so that a later release may add some. */
export function defineMessage<Shape extends z.ZodRawShape>(definition: {
  exchange: Exchange;
  type: string;
  version: number;
  summary: string;
  data: Shape;
  before?: readonly (Omit<OlderShape, 'data'> & { data: z.ZodRawShape })[];
}): MessageDefinition<z.infer<z.ZodObject<Shape>>> {
  const { data, before = [] } = definition;
  const older = before.map(shape => ({ ...shape, data: z.object(shape.data) }));
  return { ...definition, data: z.object(data) as never, before: older };
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
 * Builds the envelope of a message, its data in the schema version that every instance can read.
 * @throws ZodError when `data` does not fit the definition: a producer's bug, found before anything is stored.
 */
export function createMessage<Content>(
  definition: MessageDefinition<Content>,
  input: NewMessage<Content>,
): Message<Content> {
  const version = writtenVersion(definition);
  const data = definition.data.parse(input.data);
  return {
    specversion: '1.0',
    id: input.id,
    source: `/${input.source}`,
    type: definition.type,
    subject: input.subject,
    time: input.at.toISOString(),
    datacontenttype: 'application/json',
    schemaversion: version,
    ...(input.traceparent ? { traceparent: input.traceparent } : {}),
    data:
      version === definition.version
        ? data
        : (shapesOf(definition)
            .get(version)
            ?.parse(downgrade(definition, data as Data)) as Content),
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

/** A message of a later release: tried again as any other failure, for an instance of that release to take. */
export class NewerMessageError extends Error {
  override name = 'NewerMessageError';
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
 * Checks a received message against the contract, and brings its data to the newest schema version.
 * @throws InvalidMessageError when envelope, type, schema version or data do not fit.
 * @throws NewerMessageError when its schema version is newer than those that this code knows.
 */
export function parseMessage<Content>(definition: MessageDefinition<Content>, received: unknown): Message<Content> {
  const message = parseEnvelope(received);
  const { type, schemaversion: version } = message;
  if (type !== definition.type) throw new InvalidMessageError(`type ${type} is not ${definition.type}`);
  const unknown = `schema version ${version} of ${type} is not known`;
  if (version > definition.version) throw new NewerMessageError(`${unknown} to this version of the service`);
  const shape = version === definition.version ? definition.data : shapesOf(definition).get(version);
  if (!shape) throw new InvalidMessageError(`${unknown} any more`);
  const fit = <Shape>(schema: z.ZodType<Shape>, data: unknown): Shape => {
    const result = schema.safeParse(data);
    if (!result.success) throw new InvalidMessageError(`data of ${type}: ${z.prettifyError(result.error)}`);
    return result.data;
  };
  const data = fit(shape, message.data);
  if (version === definition.version) return { ...message, data: data as Content };
  const newest = fit(definition.data, upgrade(definition, data as Data, version));
  return { ...message, schemaversion: definition.version, data: newest };
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
