import type { ZodType } from 'zod';
import {
  createDocument,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
} from 'zod-openapi';
import { AppError, type ErrorCode, errorCatalogue } from '../errors.ts';
import { problem, problemType, toProblem } from './problem.ts';
import { exampleMembers } from './problemMembers.ts';
import type { Route } from './route.ts';

const info = {
  title: 'Tradepost',
  version: '0.1.0',
  description: [
    'HTTP API of the Tradepost shop. Unknown fields and query parameters are refused.',
    'Every answer carries `X-Request-Id`; a valid one that comes with the request is kept.',
    'Errors are RFC 9457 problem documents; match on `code`, which never changes.',
    'Money is an integer in minor units beside its ISO 4217 currency. Times are RFC 3339 in UTC with milliseconds. ' +
      'Ids are opaque.',
    'Lists take `limit` and `cursor` and give `items` and `nextCursor`, which is null on the last page.',
    '`RateLimit` and `RateLimit-Policy` tell how many requests are left; past them the answer is 429 with `Retry-After`.',
  ].join('\n\n'),
  license: { name: 'MIT', identifier: 'MIT' },
};

const tagDescriptions: Readonly<Record<string, string>> = {
  'Sign-in': 'Accounts begin here; access tokens live 15 minutes, refresh tokens are good once',
  Account: 'What signed-in users do with their own account',
  Users: 'Accounts, for administrators',
  Products: 'The catalogue',
  Inventory: 'Stock on hand, reserved and available',
  Orders: 'From the checkout to the refund',
  Payments: 'What was charged and given back',
  Operations: 'For those who run the shop',
  Dashboard: 'Several services in one answer',
  About: 'The API itself',
  Health: 'For load balancers, orchestrators and people',
};

/** The OpenAPI 3.1 document of the given routes; routes between services are left out. */
export function openApiOf(routes: readonly Route[], serverUrl: string): ReturnType<typeof createDocument> {
  const paths: ZodOpenApiPathsObject = {};
  const documented = routes.filter(one => one.access !== 'service');
  for (const route of documented) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: operationOf(route) };
  }
  const tags = [...new Set(documented.map(route => route.operation.tag))];
  const document: ZodOpenApiObject = {
    openapi: '3.1.0',
    info,
    servers: [{ url: serverUrl }],
    tags: tags.map(name => ({ name, description: tagDescriptions[name] ?? name })),
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      examples: problemsOf(documented),
    },
  };
  return withoutPrefilled(createDocument(document));
}

/**
 * Examples of optional query parameters as words: Swagger UI would fill them in, and all together they find nothing.
 */
function withoutPrefilled<Document extends ReturnType<typeof createDocument>>(document: Document): Document {
  const operations = Object.values(document.paths ?? {}).flatMap(path => Object.values(path));
  for (const { parameters = [] } of operations as { parameters?: Parameter[] }[]) {
    for (const parameter of parameters.filter(one => one.in === 'query' && !one.required)) {
      const { example, ...schema } = parameter.schema;
      if (example === undefined) continue;
      parameter.schema = schema;
      parameter.description = [parameter.description, `Example: \`${example}\``].filter(Boolean).join('  \n');
    }
  }
  return document;
}

interface Parameter {
  in: string;
  required?: boolean;
  description?: string;
  schema: { example?: unknown };
}

function operationOf(route: Route): ZodOpenApiOperationObject {
  const { operation } = route;
  return {
    operationId: operation.id,
    summary: operation.summary,
    description: [operation.description, accessNote[route.access]].filter(Boolean).join('\n\n'),
    tags: [operation.tag],
    security: route.access === 'public' ? [] : [{ bearer: [] }],
    ...parametersOf(route),
    ...requestBodyOf(route),
    responses: responsesOf(route),
  };
}

const accessNote: Record<Route['access'], string> = {
  public: 'Anyone may call it.',
  user: 'Signed-in users.',
  owner: 'The owner; what belongs to others is 404. Administrators see all.',
  self: 'The user it is about, or an administrator.',
  admin: 'Administrators.',
  service: 'Services.',
};

function parametersOf(route: Route): Pick<ZodOpenApiOperationObject, 'requestParams' | 'parameters'> {
  const { params, query, headers } = route.operation;
  return {
    requestParams: {
      ...(params ? { path: params as never } : {}),
      ...(query ? { query: query as never } : {}),
    },
    ...(headers
      ? {
          parameters: Object.entries(headers).map(([name, header]) => ({
            in: 'header' as const,
            name,
            description: header.description,
            required: header.required ?? false,
            schema: { type: 'string' as const },
          })),
        }
      : {}),
  };
}

function requestBodyOf({ operation }: Route): Pick<ZodOpenApiOperationObject, 'requestBody'> {
  if (operation.streamed) {
    const content = Object.fromEntries(operation.streamed.map(type => [type, { schema: { type: 'string' as const } }]));
    return { requestBody: { required: true, content } };
  }
  if (!operation.body) return {};
  const optional = (operation.body as ZodType).safeParse(undefined).success;
  return {
    requestBody: { required: !optional, content: { 'application/json': { schema: operation.body as ZodType } } },
  };
}

function answersOf({ operation }: Route): ZodOpenApiOperationObject['responses'] {
  return Object.fromEntries(
    Object.entries(operation.answers).map(([status, answer]) => [
      status,
      {
        description: answer.description,
        ...(answer.headers
          ? {
              headers: Object.fromEntries(
                Object.entries(answer.headers).map(([name, description]) => [
                  name,
                  { description, schema: { type: 'string' as const } },
                ]),
              ),
            }
          : {}),
        ...(answer.body || answer.contentType
          ? {
              content: {
                ...(answer.body ? { 'application/json': { schema: answer.body } } : {}),
                ...(answer.contentType ? { [answer.contentType]: { schema: { type: 'string' as const } } } : {}),
              },
            }
          : {}),
      },
    ]),
  ) as ZodOpenApiOperationObject['responses'];
}

/** Answers and errors by status; a status that can be either has both bodies. */
function responsesOf(route: Route): ZodOpenApiOperationObject['responses'] {
  const [answers, errors] = [answersOf(route), errorsOf(route)] as Record<string, ZodOpenApiResponseObject>[];
  const both = Object.entries(errors ?? {}).map(([status, error]) => {
    const answer = answers?.[status];
    const description = [answer?.description, error.description].filter(Boolean).join('  \n');
    return [status, { ...answer, ...error, description, content: { ...answer?.content, ...error.content } }];
  });
  return { ...answers, ...Object.fromEntries(both) };
}

/** Codes that a route can answer: its own, and those that follow from its shape. */
function codesOf(route: Route): ErrorCode[] {
  const { operation } = route;
  const codes: ErrorCode[] = [
    'invalid_request',
    ...(operation.errors ?? []),
    'rate_limited',
    'internal_error',
    'service_unavailable',
    'upstream_timeout',
    'headers_too_large',
    'unauthenticated',
  ];
  if (route.access === 'admin') codes.push('forbidden');
  if (route.access === 'self' || route.access === 'owner') codes.push('not_found');
  if (operation.body) codes.push('malformed_json', 'payload_too_large', 'unsupported_media_type');
  if (operation.streamed) codes.push('unsupported_media_type');
  if (operation.body || operation.streamed) codes.push('request_timeout');
  return codes;
}

const exampleIdentity = {
  requestId: '01995f6e-7a1c-7000-8000-5d2f3c6b7a19',
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
};

/** A problem of each code that the routes can answer, as it may look. */
function problemsOf(routes: readonly Route[]): Record<string, { summary: string; value: object }> {
  const codes = new Set(routes.flatMap(codesOf));
  return Object.fromEntries(
    [...codes].map(code => {
      const errors = code === 'invalid_request' ? { errors: [{ path: 'name', message: 'must be text' }] } : {};
      const members = exampleMembers[code] ?? {};
      const value = toProblem(new AppError(code, { ...errors, members }), '/api/…', exampleIdentity);
      return [code, { summary: errorCatalogue[code][1], value }];
    }),
  );
}

const exampleOf = (code: ErrorCode) => [code, { $ref: `#/components/examples/${code}` }] as const;

const retryAfter = { 'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' as const } } };
const errorHeaders: Readonly<Record<number, Record<string, object>>> = {
  401: { 'WWW-Authenticate': { description: 'How to sign in', schema: { type: 'string' } } },
  429: retryAfter,
  503: retryAfter,
  504: retryAfter,
};

function errorsOf(route: Route): ZodOpenApiOperationObject['responses'] {
  const byStatus = Map.groupBy(new Set(codesOf(route)), code => errorCatalogue[code][0]);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map(code => `\`${code}\`: ${errorCatalogue[code][1]}`).join('  \n'),
        ...(errorHeaders[status] ? { headers: errorHeaders[status] } : {}),
        content: { [problemType]: { schema: problem, examples: Object.fromEntries(codes.map(exampleOf)) } },
      },
    ]),
  ) as ZodOpenApiOperationObject['responses'];
}
