import { readFileSync } from 'node:fs';
import { openApiFile } from '@tradepost/local/openapi';
import { errorCatalogue } from '@tradepost/shared/errors';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** An answer as far as the document speaks of it. */
export interface SeenAnswer {
  status: number;
  contentType: string | undefined;
  /** Parsed where the content type is JSON, else the text. */
  body: unknown;
  header(name: string): string | undefined | null;
}

interface MediaType {
  schema?: object;
}
interface DocumentedAnswer {
  description: string;
  headers?: Record<string, object>;
  content?: Record<string, MediaType>;
}
export interface Parameter {
  in: 'path' | 'query' | 'header';
  name: string;
  required?: boolean;
  schema: object;
}
export interface DocumentedOperation {
  summary: string;
  operationId: string;
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: Record<string, MediaType> };
  responses: Record<string, DocumentedAnswer>;
}
export interface Documented {
  paths: Record<string, Record<string, DocumentedOperation>>;
  components: {
    schemas: Record<string, object>;
    examples: Record<string, { value: { status: number; requestId: string; traceId: string } }>;
  };
}

/** What the shop's OpenAPI document says, in the form in which it is asked. */
export interface Contract {
  document: Documented;
  /** The operation that answers a request; undefined where the document has none. @param path without query */
  operationOf(method: string, path: string): DocumentedOperation | undefined;
  /** Everything in which an answer differs from the document; nothing when it fits. @param path may have a query */
  deviations(method: string, path: string, answer: SeenAnswer): string[];
  /** Whether a request's JSON body fits. */
  takesBody(operation: DocumentedOperation, body: unknown): boolean;
}

/** What is answered before it is known which operation a request means. */
export const beforeRouting = new Set([400, 404, 405, 414, 431, 501]);
/** The limits and lacks of the gateway, and of any server. */
const anywhere = new Set([401, 408, 429, 500, 503, 504]);
const problemType = 'application/problem+json';

/** Reads docs/openapi.json. */
export function readContract(): Contract {
  const document = JSON.parse(readFileSync(openApiFile, 'utf8')) as Documented;
  const ajv = new Ajv2020({ strict: true, strictTypes: false, validateFormats: true, allErrors: false });
  addFormats.default(ajv);
  // Words of OpenAPI that describe and do not restrict.
  ajv.addVocabulary(['example', 'discriminator', 'components', 'paths', 'openapi', 'info', 'servers', 'tags']);
  ajv.addFormat('password', true);
  // Whether it is one, the service alone decides.
  ajv.addFormat('idn-email', true);
  ajv.addSchema({ $id: 'shop', components: document.components });
  const compiled = new Map<object, ValidateFunction>();
  const validatorOf = (schema: object): ValidateFunction => {
    const known = compiled.get(schema) ?? ajv.compile(absolute(schema) as object);
    compiled.set(schema, known);
    return known;
  };
  const templates = Object.keys(document.paths)
    .map(path => ({ path, pattern: patternOf(path) }))
    .sort((a, b) => a.path.split('{').length - b.path.split('{').length);

  const contract: Contract = {
    document,
    operationOf(method, path) {
      const wanted = method === 'HEAD' ? 'get' : method.toLowerCase();
      const bare = path.split('?', 1)[0] ?? '';
      const template = templates.find(({ pattern }) => pattern.test(bare));
      return template && document.paths[template.path]?.[wanted];
    },
    deviations(method, path, answer) {
      const operation = contract.operationOf(method, path);
      const documented = operation?.responses[String(answer.status)];
      if (!documented) {
        const expected = operation ? false : beforeRouting.has(answer.status) || anywhere.has(answer.status);
        if (!expected) return [`${answer.status} is no answer of ${operation?.operationId ?? 'an unknown path'}`];
        return method === 'HEAD' ? [] : problemDeviations(answer, validatorOf(refTo('Problem')));
      }
      return answerDeviations(method, operation?.operationId ?? '', documented, answer, validatorOf);
    },
    takesBody(operation, body) {
      const { required, content } = operation.requestBody ?? { content: {} };
      if (body === undefined) return !required;
      const schema = content['application/json']?.schema;
      return schema !== undefined && validatorOf(schema)(body);
    },
  };
  return contract;
}

function answerDeviations(
  method: string,
  operationId: string,
  documented: DocumentedAnswer,
  answer: SeenAnswer,
  validatorOf: (schema: object) => ValidateFunction,
): string[] {
  const where = `${operationId} ${answer.status}`;
  const missing = Object.keys(documented.headers ?? {})
    .filter(name => mustHave.has(name) && !answer.header(name))
    .map(name => `${where}: no ${name}`);
  if (method === 'HEAD') return missing;
  const type = answer.contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (!documented.content) {
    return answer.body === '' || answer.body === undefined ? missing : [...missing, `${where}: a body, of ${type}`];
  }
  const media = type === undefined ? undefined : documented.content[type];
  if (!media?.schema) return [...missing, `${where}: ${type} instead of ${Object.keys(documented.content).join(', ')}`];
  const validate = validatorOf(media.schema);
  const wrong = validate(answer.body)
    ? []
    : (validate.errors ?? []).map(error => `${where}: body${error.instancePath} ${error.message}`);
  if (type !== problemType) return [...missing, ...wrong];
  const { code } = answer.body as { code?: unknown };
  const named = documented.description.includes(`\`${code}\``) ? [] : [`${where}: ${code} is not documented`];
  return [...missing, ...wrong, ...named, ...problemDeviations(answer, validate)];
}

/** Header fields that an answer has whenever the document names them. */
const mustHave = new Set(['WWW-Authenticate', 'Retry-After', 'Location']);

function problemDeviations(answer: SeenAnswer, validate: ValidateFunction): string[] {
  if (answer.contentType !== problemType) return [`${answer.status}: ${answer.contentType} instead of ${problemType}`];
  if (!validate(answer.body)) {
    return (validate.errors ?? []).map(error => `${answer.status}: problem${error.instancePath} ${error.message}`);
  }
  const { code, status, requestId, traceId } = answer.body as {
    code: keyof typeof errorCatalogue;
    status: number;
    requestId: string;
    traceId: string;
  };
  const wrong: string[] = [];
  if (status !== answer.status || errorCatalogue[code][0] !== status)
    wrong.push(`${code} with ${answer.status}/${status}`);
  if (requestId !== answer.header('x-request-id')) wrong.push('requestId is not X-Request-Id');
  if (traceId !== answer.header('x-trace-id')) wrong.push('traceId is not X-Trace-Id');
  return wrong;
}

const refTo = (() => {
  const made = new Map<string, object>();
  return (name: string): object => {
    const known = made.get(name) ?? { $ref: `#/components/schemas/${name}` };
    made.set(name, known);
    return known;
  };
})();

/** A schema whose references lead into the whole document. */
function absolute(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(absolute);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      key === '$ref' && typeof inner === 'string' ? [key, inner.replace(/^#/, 'shop#')] : [key, absolute(inner)],
    ),
  );
}

const patternOf = (template: string): RegExp =>
  new RegExp(`^${template.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{\w+\}/g, '[^/]+')}/?$`);
