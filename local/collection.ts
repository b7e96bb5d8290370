/**
 * Makes docs/tradepost.postman_collection.json, a collection of requests in the format 2.1 that Postman and others
 * import, from the OpenAPI document.
 *
 *   npm run collection
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { openApiFile } from './openapi.ts';

export const collectionFile = new URL('../docs/tradepost.postman_collection.json', import.meta.url);

interface Schema {
  $ref?: string;
  anyOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  type?: string | string[];
  example?: unknown;
  minimum?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
}
interface Parameter {
  in: 'path' | 'query' | 'header';
  name: string;
  description?: string;
  required?: boolean;
  schema: Schema;
}
interface Operation {
  operationId: string;
  summary: string;
  description: string;
  tags: [string];
  security: unknown[];
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}
interface OpenApi {
  info: { title: string; description: string };
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** What requests find in variables, and the answers that fill these. */
const variables = {
  baseUrl: 'http://localhost:3000',
  accessToken: '',
  refreshToken: '',
  productId: '',
  orderId: '',
  paymentId: '',
  addressId: '',
};
const saved: Readonly<Record<string, Partial<Record<keyof typeof variables, string>>>> = {
  register: { accessToken: 'accessToken', refreshToken: 'refreshToken' },
  login: { accessToken: 'accessToken', refreshToken: 'refreshToken' },
  refresh: { accessToken: 'accessToken', refreshToken: 'refreshToken' },
  listProducts: { productId: 'items[0].id' },
  createProduct: { productId: 'id' },
  createOrder: { orderId: 'id', paymentId: 'payment.id' },
  addAddress: { addressId: 'id' },
};

/** The collection of a document, as text with a line per value. */
export function collectionText(document: OpenApi): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const collection = {
    info: {
      name: document.info.title,
      description: document.info.description,
      schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
    },
    auth: { type: 'bearer', bearer: [{ key: 'token', value: '{{accessToken}}', type: 'string' }] },
    variable: Object.entries(variables).map(([key, value]) => ({ key, value })),
    item: document.tags.map(({ name, description }) => ({
      name,
      description,
      item: operations
        .filter(({ operation }) => operation.tags[0] === name)
        .map(({ path, method, operation }) => itemOf(document, path, method, operation)),
    })),
  };
  return `${JSON.stringify(collection, undefined, 2)}\n`;
}

function itemOf(document: OpenApi, path: string, method: string, operation: Operation) {
  const parameters = operation.parameters ?? [];
  const headers = parameters.filter(one => one.in === 'header' && one.name !== 'Accept');
  const [type, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const save = saved[operation.operationId];
  return {
    name: operation.summary,
    ...(save ? { event: [{ listen: 'test', script: { type: 'text/javascript', exec: scriptOf(save) } }] } : {}),
    request: {
      method: method.toUpperCase(),
      description: operation.description,
      ...(operation.security.length === 0 ? { auth: { type: 'noauth' } } : {}),
      url: urlOf(path, parameters),
      header: [
        ...headers.map(({ name, description, required }) => ({
          key: name,
          value: name === 'Idempotency-Key' ? '{{$guid}}' : '',
          description,
          ...(required ? {} : { disabled: true }),
        })),
        ...(type ? [{ key: 'Content-Type', value: type }] : []),
      ],
      ...(type && content ? { body: bodyOf(document, type, content.schema) } : {}),
    },
  };
}

function urlOf(path: string, parameters: readonly Parameter[]) {
  const query = parameters
    .filter(one => one.in === 'query')
    .map(({ name, description, required, schema }) => ({
      key: name,
      value: variableOf(name, path) ?? String(schema.example ?? exampleIn(description)),
      description,
      // What is listed first is what the requests after it order.
      ...(required || name === 'inStock' ? {} : { disabled: true }),
    }));
  const sent = query.filter(one => !('disabled' in one)).map(({ key, value }) => `${key}=${value}`);
  const segments = path.slice(1).replace(/\{(\w+)\}/g, ':$1');
  return {
    raw: `{{baseUrl}}/${segments}${sent.length > 0 ? `?${sent.join('&')}` : ''}`,
    host: ['{{baseUrl}}'],
    path: segments.split('/'),
    ...(query.length > 0 ? { query } : {}),
    variable: [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
      key: name,
      value: variableOf(name, path) ?? '',
    })),
  };
}

/** The example that a description ends with. */
const exampleIn = (description = ''): string => /Example: `(.*)`$/.exec(description)?.[1] ?? '';

/** The variable that a parameter of a path or query takes. */
function variableOf(name: string, path: string): string | undefined {
  if (name === 'productId' || name === 'productIds') return '{{productId}}';
  if (name === 'orderId') return '{{orderId}}';
  if (name === 'provider') return 'stripe';
  if (name === 'inStock') return 'true';
  if (name !== 'id') return undefined;
  if (path.startsWith('/api/products')) return '{{productId}}';
  if (path.startsWith('/api/orders')) return '{{orderId}}';
  if (path.startsWith('/api/payments')) return '{{paymentId}}';
  if (path.includes('/addresses/')) return '{{addressId}}';
  return undefined;
}

function bodyOf(document: OpenApi, type: string, schema: Schema) {
  const language = type === 'application/json' ? 'json' : 'text';
  const row = exampleOf(document, document.components.schemas.NewProduct ?? {});
  const raw =
    language === 'json' ? JSON.stringify(exampleOf(document, schema), undefined, 2) : `${JSON.stringify(row)}\n`;
  const withVariables = raw
    .replace(/("productId": )"[^"]*"/g, '$1"{{productId}}"')
    .replace(/("refreshToken": )"[^"]*"/g, '$1"{{refreshToken}}"');
  return { mode: 'raw', raw: withVariables, options: { raw: { language } } };
}

/** An example of a schema: its own, or one made of those of its parts. */
function exampleOf(document: OpenApi, schema: Schema): unknown {
  if (schema.example !== undefined) return schema.example;
  if (schema.$ref) return exampleOf(document, document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {});
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf?.[0]) return exampleOf(document, schema.anyOf[0]);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === 'object') {
    const fields = Object.entries(schema.properties ?? {});
    return Object.fromEntries(fields.map(([name, inner]) => [name, exampleOf(document, inner)]));
  }
  if (type === 'array') return schema.items ? [exampleOf(document, schema.items)] : [];
  if (type === 'integer' || type === 'number') return Math.max(schema.minimum ?? 1, 1);
  return type === 'boolean' ? true : 'text';
}

/** The path with each step only taken where there is one: `answer?.items?.[0]?.id`. */
const guarded = (path: string): string => `answer?.${path.replaceAll('[', '?.[').replaceAll('.id', '?.id')}`;

/** Keeps parts of a good answer in variables, so that the next requests use them. */
const scriptOf = (save: Readonly<Record<string, string>>): string[] => [
  'if (pm.response.code < 300) {',
  '  const answer = pm.response.json();',
  ...Object.entries(save).map(
    ([variable, path]) => `  if (${guarded(path)}) pm.collectionVariables.set('${variable}', answer.${path});`,
  ),
  '}',
];

if (import.meta.main) writeFileSync(collectionFile, collectionText(JSON.parse(readFileSync(openApiFile, 'utf8'))));
