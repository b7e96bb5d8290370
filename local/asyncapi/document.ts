import * as inventoryMessages from '@tradepost/shared/events/inventory';
import * as orderMessages from '@tradepost/shared/events/orders';
import * as paymentMessages from '@tradepost/shared/events/payments';
import * as productMessages from '@tradepost/shared/events/products';
import * as userMessages from '@tradepost/shared/events/users';
import { durableQueues } from '@tradepost/shared/messaging/durableQueues';
import type { Exchange, MessageDefinition } from '@tradepost/shared/messaging/message';
import { queueName } from '@tradepost/shared/messaging/routing';
import { shapesOf, writtenVersion } from '@tradepost/shared/schemaVersions';
import { version } from '@tradepost/shared/service';
import { stringify } from 'yaml';
import { z } from 'zod';

/** Where the document lies. */
export const asyncApiFile = new URL('../../docs/asyncapi.yaml', import.meta.url);

/** Every kind of message, by the file that declares it. */
export const messagesByFile: Readonly<Record<string, readonly MessageDefinition<never>[]>> = {
  inventory: definitionsIn(inventoryMessages),
  orders: definitionsIn(orderMessages),
  payments: definitionsIn(paymentMessages),
  products: definitionsIn(productMessages),
  users: definitionsIn(userMessages),
};

function definitionsIn(module: object): readonly MessageDefinition<never>[] {
  return Object.values(module);
}

/** The service that publishes to an exchange. */
const producers: Readonly<Record<Exchange, string>> = {
  users: 'user-service',
  products: 'product-service',
  inventory: 'inventory-service',
  orders: 'order-service',
  payments: 'payment-service',
};

/** JSON Schema of a message's data, as it is published; more fields may come. */
export interface DataSchema {
  type?: string | string[];
  properties?: Record<string, DataSchema>;
  required?: string[];
  items?: DataSchema;
  enum?: unknown[];
  const?: unknown;
  anyOf?: DataSchema[];
  [keyword: string]: unknown;
}

/** One kind of message in the document. */
export interface MessageObject {
  name: string;
  payload: { allOf: [unknown, { properties: { schemaversion: { const: number }; data: DataSchema } }] };
  [field: string]: unknown;
}

/** The parts of the document that the code here looks into. */
export interface AsyncApi {
  asyncapi: string;
  components: { messages: Record<string, MessageObject>; [kind: string]: unknown };
  [part: string]: unknown;
}

/** The AsyncAPI 3 document of all messages. */
export function asyncApiDocument(definitions = Object.values(messagesByFile).flat()): AsyncApi {
  const channels = definitions.map(definition => [
    definition.type,
    {
      address: definition.type,
      messages: Object.fromEntries(
        versionsOf(definition).map(({ key }) => [key, { $ref: `#/components/messages/${key}` }]),
      ),
      bindings: {
        amqp: {
          is: 'routingKey',
          exchange: { name: definition.exchange, type: 'topic', durable: true, autoDelete: false },
        },
      },
    },
  ]);
  const messages = definitions.flatMap(definition =>
    versionsOf(definition).map(version => [version.key, messageOf(definition, version)]),
  );
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Tradepost messages',
      version,
      description:
        'What the services of the shop tell each other over RabbitMQ. Each message is a CloudEvents 1.0 event in JSON. ' +
        'Messages arrive at least once and in any order; `id` tells repetitions. Fields may be added to `data`; ' +
        'any other change raises `schemaversion`, and is described here a release before it is published.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/cloudevents+json',
    channels: Object.fromEntries(channels),
    operations: operationsOf(definitions),
    components: { schemas: { Envelope: envelope }, messages: Object.fromEntries(messages) },
  };
}

/** A schema version of a kind of message: under `order.confirmed` the one that is published, others as `order.confirmed.v2`. */
interface MessageVersion {
  key: string;
  version: number;
  data: z.ZodType;
  remark: string;
}

function versionsOf(definition: MessageDefinition<never>): MessageVersion[] {
  const published = writtenVersion(definition);
  return [...shapesOf(definition)].map(([version, data]) => {
    if (version === published) return { key: definition.type, version, data, remark: '' };
    const remark = version > published ? ' Published from the next release on.' : ' Not published any more.';
    return { key: `${definition.type}.v${version}`, version, data, remark };
  });
}

function operationsOf(definitions: readonly MessageDefinition<never>[]): Record<string, unknown> {
  const operation = (action: 'send' | 'receive', type: string, service: string, keys: string[]) => ({
    action,
    channel: { $ref: `#/channels/${type}` },
    messages: keys.map(key => ({ $ref: `#/channels/${type}/messages/${key}` })),
    tags: [{ name: service }],
  });
  const sends = definitions.map(({ exchange, type }) => [
    `${producers[exchange]}.sends.${type}`,
    operation('send', type, producers[exchange], [type]),
  ]);
  const receives = durableQueues.flatMap(queue =>
    definitions
      .filter(({ type }) => type === queue.key)
      .map(definition => {
        const keys = versionsOf(definition).map(({ key }) => key);
        const summary = `By the durable queue ${queueName(queue)}`;
        return [
          `${queue.service}.receives.${queue.key}`,
          { ...operation('receive', queue.key, queue.service, keys), summary },
        ];
      }),
  );
  return Object.fromEntries([...sends, ...receives]);
}

const messageOf = (definition: MessageDefinition<never>, { version, data, remark }: MessageVersion): MessageObject => ({
  name: definition.type,
  summary: definition.summary + remark,
  contentType: 'application/cloudevents+json',
  payload: {
    allOf: [
      { $ref: '#/components/schemas/Envelope' },
      {
        properties: {
          type: { const: definition.type },
          source: { const: `/${producers[definition.exchange]}` },
          schemaversion: { const: version },
          data: dataSchema(data),
        },
      } as MessageObject['payload']['allOf'][1],
    ],
  },
});

/** A shape as JSON Schema, with all that it refers to in its place. */
export function dataSchema(shape: z.ZodType): DataSchema {
  const { $schema, ...schema } = z.toJSONSchema(shape, {
    io: 'output',
    reused: 'inline',
    // The expressions behind formats are longer than all the rest, and what is not named may come.
    override({ jsonSchema }) {
      delete jsonSchema.additionalProperties;
      if (jsonSchema.format) delete jsonSchema.pattern;
    },
  });
  const { $defs, ...data } = schema as DataSchema & { $defs?: Record<string, DataSchema> };
  return inlined(data, $defs ?? {}) as DataSchema;
}

/** The schema with what it refers to in its place: each is small, and stands where a reader looks for it. */
function inlined(schema: unknown, definitions: Record<string, DataSchema>): unknown {
  if (Array.isArray(schema)) return schema.map(part => inlined(part, definitions));
  if (typeof schema !== 'object' || schema === null) return schema;
  const { $ref, ...own } = schema as { $ref?: string };
  if ($ref === undefined) {
    return Object.fromEntries(Object.entries(own).map(([key, value]) => [key, inlined(value, definitions)]));
  }
  const { id, ...referred } = definitions[$ref.replace('#/$defs/', '')] ?? {};
  return inlined({ ...referred, ...own }, definitions);
}

const text = { type: 'string', minLength: 1 };

const envelope = {
  type: 'object',
  description: 'CloudEvents 1.0 (https://cloudevents.io) with two extension attributes: schemaversion and traceparent.',
  required: ['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'schemaversion', 'data'],
  properties: {
    specversion: { const: '1.0' },
    id: { ...text, maxLength: 128, description: 'Unique per message, and the same when it is sent again' },
    source: { ...text, description: 'The producing service' },
    type: { ...text, description: 'The routing key' },
    subject: { ...text, description: 'Id of the thing that the message is about' },
    time: { type: 'string', format: 'date-time', description: 'When it happened' },
    datacontenttype: { const: 'application/json' },
    schemaversion: { type: 'integer', minimum: 1, description: 'Version of data' },
    traceparent: { type: 'string', description: 'W3C trace context of the change that caused it' },
    data: { type: 'object' },
  },
};

/** The document as it is committed. */
export const asyncApiText = (): string =>
  stringify(asyncApiDocument(), { lineWidth: 120, aliasDuplicateObjects: false });
